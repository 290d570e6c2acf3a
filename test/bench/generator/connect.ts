import { connectClient, type ClientOptions } from './client.ts'

/** connections that are on their way at once */
const AT_ONCE = 64

/** Connects and logs in `count` clients. */
export async function connectAll(count: number, optionsOf: (client: number) => ClientOptions): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await connectClient(optionsOf(next++))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
