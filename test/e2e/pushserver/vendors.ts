/** What the configs of PushServer lead to: three kinds of robots, a mail server and a receiver of notifications. */
import { type MailServer, type MailServerOptions, startMailServer } from '../../helpers/mail.ts'
import { type Answer, type Receiver, startReceiver } from '../../helpers/receiver.ts'

/** Says yes or no as its robots do: HTTP 200 with a code. */
interface Robot extends Receiver {
  /** what it says from now on */
  says(answer: 'yes' | 'no'): void
}

export interface Vendors {
  readonly feishu: Robot
  readonly dingtalk: Robot
  readonly wechat: Robot
  readonly mail: MailServer
  /** where notifications are posted to */
  readonly watch: Receiver
  /** All of them refuse from now on, and will whatever is tried. */
  refuse(): void
  close(): Promise<void>
}

const answers = {
  feishu: { yes: { code: 0, msg: 'success' }, no: { code: 19001, msg: 'incoming webhook access token invalid' } },
  dingtalk: { yes: { errcode: 0, errmsg: 'ok' }, no: { errcode: 300005, errmsg: 'token is not exist' } },
  wechat: { yes: { errcode: 0, errmsg: 'ok' }, no: { errcode: 93000, errmsg: 'invalid webhook url' } },
}

export async function startVendors(mailOptions: MailServerOptions): Promise<Vendors> {
  const [feishu, dingtalk, wechat] = await Promise.all(
    (['feishu', 'dingtalk', 'wechat'] as const).map((name) => startRobot(answers[name])),
  )
  const [mail, watch] = await Promise.all([startMailServer(mailOptions), startReceiver()])
  if (!feishu || !dingtalk || !wechat) throw new Error('a robot is missing')
  return {
    feishu,
    dingtalk,
    wechat,
    mail,
    watch,
    refuse() {
      for (const robot of [feishu, dingtalk, wechat]) robot.says('no')
      mail.refuse = { mail: { code: 550, text: '5.7.1 not allowed to send' } }
    },
    close: async () => void (await Promise.all([feishu, dingtalk, wechat, mail, watch].map((one) => one.close()))),
  }
}

/** What each got so far: the keys of its robots, the addresses of its mails. */
export function gotBy({ feishu, dingtalk, wechat, mail }: Vendors): Readonly<Record<string, readonly string[]>> {
  const keys = ({ requests }: Robot) =>
    requests.map(({ url }) => /(?:v2\/hook\/|access_token=|key=)(\w+)/.exec(url)?.[1] ?? url)
  return {
    feishu: keys(feishu),
    dingtalk: keys(dingtalk),
    wechat: keys(wechat),
    mail: mail.mails.map(({ to }) => to.join()),
  }
}

async function startRobot(words: { readonly yes: object; readonly no: object }): Promise<Robot> {
  const saying =
    (word: object): Answer =>
    (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(word))
  const receiver = await startReceiver(saying(words.yes))
  return Object.assign(receiver, {
    says: (answer: 'yes' | 'no') => void (receiver.answer = saying(words[answer])),
  })
}
