/** Frames of a server (RFC 6455 section 5.2): text, in one piece, unmasked. */

const FIN_TEXT = 0x81
const LENGTH_16 = 126
const LENGTH_64 = 127
const MAX_7 = 125
const MAX_16 = 0xffff

let lastText: Buffer | null = null
let lastFrame: Buffer = Buffer.alloc(0)

/** The text as one frame. Of a text that goes to many, one after another, the frame is built once. */
export function textFrame(text: Buffer): Buffer {
  if (text !== lastText) {
    lastText = text
    lastFrame = build(text)
  }
  return lastFrame
}

function build(text: Buffer): Buffer {
  const { length } = text
  const start = length <= MAX_7 ? 2 : length <= MAX_16 ? 4 : 10
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = FIN_TEXT
  if (length <= MAX_7) frame[1] = length
  else if (length <= MAX_16) {
    frame[1] = LENGTH_16
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = LENGTH_64
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  text.copy(frame, start)
  return frame
}
