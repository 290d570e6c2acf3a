/** How the commands of the store say what they found. */
import { wireName } from '../protocol/address.ts'
import type { Examination } from '../store/lowdb/care/examine.ts'
import { type Affected, type Finding, isDamage } from '../store/lowdb/care/finding.ts'
import { printable } from './output.ts'

/** of a long list */
const SHOWN = 10
const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

/** What is there, then each damage, then what can be put in order without loss. */
export function reportOf({ dir, runningAs, findings, totals, isSound }: Examination): string {
  const { messages, open, recipients, segments, journals, blobs, bytes } = totals
  const notes = findings.filter((one) => !isDamage(one))
  return [
    `${dir}: ${counted(messages, 'message')} in ${counted(segments, 'segment')} and ${counted(journals, 'journal')}, ` +
      `${counted(open, 'delivery', 'deliveries')} open, ${counted(recipients, 'recipient')}, ${counted(blobs, 'blob')}, ${sizeText(bytes)}`,
    ...(runningAs === null
      ? []
      : [`a hub runs on it (process ${runningAs}): this is what it had flushed a moment ago`]),
    ...findings.filter(isDamage).map((one) => `damaged: ${findingText(one)}`),
    ...notes.map((one) => `note: ${findingText(one)}`),
    isSound ? 'sound' : `damaged in ${counted(findings.length - notes.length, 'place')}`,
  ].join('\n')
}

/** The same as values. */
export function summaryOf({ dir, runningAs, findings, totals, isSound }: Examination) {
  return { dir, sound: isSound, runningAs, ...totals, findings: findings.map(valuesOf) }
}

/** A finding as values, and whether it is damage. */
export function valuesOf(finding: Finding) {
  return { ...finding, damage: isDamage(finding) }
}

export function findingText({ file, offset, what, affected }: Finding): string {
  const place = offset === null ? '' : `, byte ${offset}`
  return `${file}${place}: ${what}${affected ? `; ${affectedText(affected)}` : ''}`
}

function affectedText({ of, count, mids, names }: Affected): string {
  const many = of === 'key' ? 'idempotency key' : of
  return [
    count === null ? `how many ${many}s are gone with it is not known` : `${counted(count, many)} gone with it`,
    ...(mids.length > 0 ? [`messages ${listed(mids)}`] : []),
    ...(names.length > 0 ? [`of ${listed(names.map((name) => wireName(name)))}`] : []),
  ].join('; ')
}

function listed(items: readonly string[]): string {
  const more = items.length - SHOWN
  const shown = items.slice(0, SHOWN).map(printable).join(', ')
  return more > 0 ? `${shown} and ${more} more (--json lists all)` : shown
}

function counted(count: number, one: string, more = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : more}`
}

function sizeText(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`
}
