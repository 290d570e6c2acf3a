import type { Wake } from './types.ts'

/**
 * A page's hints that the line may be back: the browser is online again, or somebody looks at the page.
 * @param scope `globalThis`; where it has no such events, as in Node, nothing is ever heard
 */
export function pageWake(scope: object): Wake {
  return (tryNow) => {
    const document: unknown = Reflect.get(scope, 'document')
    const look = () => {
      if (isTarget(document) && Reflect.get(document, 'visibilityState') === 'visible') tryNow()
    }
    if (isTarget(scope)) scope.addEventListener('online', tryNow)
    if (isTarget(document)) document.addEventListener('visibilitychange', look)
    return () => {
      if (isTarget(scope)) scope.removeEventListener('online', tryNow)
      if (isTarget(document)) document.removeEventListener('visibilitychange', look)
    }
  }
}

function isTarget(value: unknown): value is EventTarget {
  return typeof value === 'object' && value !== null && 'addEventListener' in value
}
