#!/usr/bin/env node
/** The server's program: `npm start`, systemd, containers. All commands are in clients/cli/carillon.ts. */
import { runProgram } from './cli/program.ts'

runProgram(
  {
    table: { serve: () => import('./serve.ts') },
    fallback: 'serve',
    elsewhere: 'this program only runs the hub, for other commands there is carillon (npx carillon --help)',
  },
  process.argv.slice(2),
)
