export const PREFIX = '/api/v1'

/** Whether a URL as it came belongs to the PushServer API. */
export function isApiUrl(url = ''): boolean {
  return url.startsWith(PREFIX) && /^[/?#]|^$/.test(url.charAt(PREFIX.length))
}
