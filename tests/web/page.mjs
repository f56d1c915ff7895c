// What a reader does on the page, for the tests.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { axePath } from './browser.mjs'

/** A page that remembers what went wrong on it and whom it asked. */
export async function openPage(context, url, { size, scheme = 'light', path = '' } = {}) {
  const page = await context.newPage()
  const trouble = []
  const hosts = new Set()
  page.on('pageerror', (error) => trouble.push(String(error)))
  page.on('console', (message) => {
    const text = message.text()
    // A service that is away, or an entry that is gone, is reported by the browser itself.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) trouble.push(text)
    if (message.type() === 'warning') trouble.push(text)
  })
  page.on('request', (request) => hosts.add(new URL(request.url()).host))
  if (size) await page.setViewportSize(size)
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
  await page.goto(`${url}${path}`)
  return { page, trouble, hosts }
}

export const rows = (page) => page.getByTestId('row')
export const openTab = (page, name) => page.getByRole('tab', { name }).click()
export const waitLive = (page) => page.getByTestId('live-state').getByText('Live', { exact: true }).waitFor()

/** Waits until `probe`, run in the page, gives what passes `test`; the value is returned. */
export async function until(probe, test, what) {
  const end = Date.now() + 15_000
  for (;;) {
    const value = await probe()
    if (test(value)) return value
    assert.ok(Date.now() < end, `${what}; last seen: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** No serious or critical finding of axe-core, which includes contrast (WCAG AA). */
export async function assertAccessible(page, what) {
  // Not as a script element: the page's own policy forbids inline scripts.
  await page.evaluate(await readFile(axePath, 'utf8'))
  const findings = await page.evaluate(async () => {
    const result = await window.axe.run(document, { resultTypes: ['violations'] })
    return result.violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 4).map(({ html, failureSummary }) => ({ html: html.slice(0, 200), failureSummary })) }))
  })
  assert.deepEqual(findings, [], what)
}

/** Nothing sticks out to the right. */
export async function assertNoSideScroll(page, what) {
  const [scroll, client] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
  assert.ok(scroll <= client, `${what}: ${scroll} > ${client}`)
}
