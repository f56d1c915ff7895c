// Starts Debian's Chromium for the page's tests. The test libraries live in web/node_modules.
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(new URL('../../web/package.json', import.meta.url))
const { chromium } = require('playwright-core')

export const axePath = require.resolve('axe-core/axe.min.js')

const kFlags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

/** A browser with its own empty profile, and `close()` that leaves nothing behind. */
export async function startBrowser(options = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'gibbon-web-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.GIBBON_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: kFlags,
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...options,
  })
  return {
    context,
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
