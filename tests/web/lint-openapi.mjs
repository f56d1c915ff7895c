// Lints an OpenAPI document (a file, or standard input) by Redocly's recommended rules: one line for each problem, and
// exit code 1 where one is an error. The linter lives in web/node_modules.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../web/package.json', import.meta.url))
const { createConfig, lintFromString } = require('@redocly/openapi-core')

const path = process.argv[2] ?? '/dev/stdin'
const config = await createConfig({ extends: ['recommended'] })
const problems = await lintFromString({ source: await readFile(path, 'utf8'), absoluteRef: '/openapi.json', config })
for (const { severity, ruleId, message, location } of problems) {
  console.log(`${severity} ${ruleId}: ${message} (${location[0]?.pointer ?? ''})`)
}
process.exitCode = problems.some(({ severity }) => severity === 'error') ? 1 : 0
