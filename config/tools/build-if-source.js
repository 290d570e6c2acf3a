/**
 * Before `npm start`: builds what is missing or stale. A package that was installed holds only the built
 * program, so there is nothing to do; neither is there without a compiler.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const hasSources = existsSync(join(root, 'tsconfig.json')) && existsSync(join(root, 'server/main.ts'))
const compiler = findCompiler()

if (hasSources && compiler !== null) {
  // tsc -b looks at what is stale by itself
  const projects = ['server/protocol', 'server', 'clients']
  const built = spawnSync(process.execPath, [compiler, '-b', ...projects], { cwd: root, stdio: 'inherit' })
  if (built.status !== 0) process.exit(built.status ?? 1)
  // npx makes it so only when it first sees the folder, and a build from scratch comes later
  chmodSync(join(root, 'dist/clients/cli/carillon.js'), 0o755)
} else if (!existsSync(join(root, 'dist/server/main.js'))) {
  process.stderr.write('carillon is not built, and there is no compiler here: run npm ci first\n')
  process.exit(1)
}

/** @returns {string | null} the path of `tsc`, null when TypeScript is not installed */
function findCompiler() {
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
    return join(dirname(manifest), 'bin/tsc')
  } catch {
    return null
  }
}
