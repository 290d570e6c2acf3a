/** Phone numbers, and the people behind them as targets of direct calls. */
import * as z from 'zod'
import { Misconfigured } from '../channel.ts'

const MAINLAND = '+86'
const MAINLAND_MOBILE = /^1[3-9]\d{9}$/
/** ITU-T E.164: a plus, then at most 15 digits with the country's first */
const INTERNATIONAL = /^\+[1-9]\d{6,14}$/
const MOST_NUMBERS = 100

/** `+8613800138000`, with whatever people put between digits; a mobile number of mainland China goes without `+86`. */
export const phoneNumber = z
  .string({ error: 'a phone number is text: put it in quotes, "+8613800138000"' })
  .transform((text) => text.replaceAll(/[\s().-]/g, ''))
  .refine((number) => INTERNATIONAL.test(number) || MAINLAND_MOBILE.test(number), {
    error: 'not a phone number with its country code, such as "+8613800138000"',
  })

/** What the config says of a platform that reaches phones, whoever provides it. */
export const phonePlatform = {
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  name: z.string().min(1).optional().meta({ description: 'its name', zh: '名称' }),
  to: z.array(phoneNumber).min(1).max(MOST_NUMBERS).meta({
    description: 'numbers with their country code, in quotes: "+8613800138000"',
    zh: '带国家码的号码，需加引号："+8613800138000"',
  }),
}

/** Values of template variables that a direct call gives itself. */
const text = z.union([z.string(), z.number().transform(String)])

/** Whom one call of the SDK is for; `params` by name or in order, as the provider's templates have them. */
export const phoneTarget = z.object({
  to: z.array(phoneNumber).min(1).max(MOST_NUMBERS),
  template: z.string().min(1).optional(),
  params: z.union([z.array(text), z.record(z.string(), text)]).optional(),
})
export type PhoneTarget = z.infer<typeof phoneTarget>

/**
 * Each number once, in E.164.
 * @param bare whether the provider takes a bare one for one of mainland China
 * @throws Misconfigured for a bare one where it might as well be another country's
 */
export function numbersOf(to: readonly string[], bare: boolean): readonly string[] {
  const numbers = to.map((number) => {
    if (number.startsWith('+')) return number
    if (!bare) throw new Misconfigured('to: a number without its country code (+86…, +1…)')
    return `${MAINLAND}${number}`
  })
  return [...new Set(numbers)]
}

/**
 * As Aliyun writes numbers: those of mainland China as they are dialled there, all others without the plus.
 * https://help.aliyun.com/document_detail/114036.htm
 */
export function dialled(number: string): string {
  if (!number.startsWith(MAINLAND)) return number.slice(1)
  const national = number.slice(MAINLAND.length)
  return MAINLAND_MOBILE.test(national) ? national : `0${national}`
}

/** Tells an endpoint from others without showing a number: `Twilio …8000`, `Twilio …8000 +2`. */
export function nameOf(provider: string, numbers: readonly string[]): string {
  const [first = '', ...others] = numbers
  return `${provider} …${first.slice(-4)}${others.length === 0 ? '' : ` +${others.length}`}`
}
