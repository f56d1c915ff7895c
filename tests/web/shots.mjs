// Takes the README's pictures: `npm run shots` in web/, after a build.
// With a folder as argument, it puts more views there for looking at.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MockLogService } from '../../web/test/mock-server.mjs'
import { makeEntries, specialEntries } from '../../web/test/sample-entries.mjs'
import { startBrowser } from './browser.mjs'

const images = fileURLToPath(new URL('../../docs/images', import.meta.url))
const extra = process.argv[2]

const kNow = new Date('2025-07-23T19:20:22.993Z')
const entries = makeEntries(1400, kNow.getTime())
const special = specialEntries(kNow.getTime())
// The entry that the pictures show stands a few rows below the top.
const order = entries.slice(0, -1).reverse().find((entry) => entry.request.url.includes('expand=items'))
const service = await new MockLogService(entries).start()
const empty = await new MockLogService().start()

async function view(browser, name, { size = { width: 1440, height: 900 }, scheme = 'light', hash = '', tab, url = service.url, act } = {}) {
  const page = await browser.context.newPage()
  await page.clock.setFixedTime(kNow)
  await page.setViewportSize(size)
  await page.emulateMedia({ colorScheme: scheme })
  await page.goto(`${url}#${hash}`)
  await page.getByTestId('live-state').getByText('Live').waitFor()
  if (tab) await page.getByRole('tab', { name: tab }).click()
  if (act) await act(page)
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: name })
  await page.close()
}

const browser = await startBrowser()
try {
  const open = `/logs/${order.entry_id}`
  await view(browser, join(images, 'viewer.png'), { hash: open })
  await view(browser, join(images, 'viewer-dark.png'), { hash: open, scheme: 'dark' })
  if (extra) {
    const narrow = { width: 390, height: 844 }
    await view(browser, join(extra, 'list.png'))
    await view(browser, join(extra, 'list-1920-dark.png'), { size: { width: 1920, height: 1080 }, scheme: 'dark', hash: open, tab: 'Summary' })
    await view(browser, join(extra, 'request.png'), { hash: open, tab: 'Request' })
    await view(browser, join(extra, 'summary.png'), { hash: open, tab: 'Summary' })
    await view(browser, join(extra, 'narrow.png'), { size: narrow })
    await view(browser, join(extra, 'narrow-detail.png'), { size: narrow, hash: open })
    await view(browser, join(extra, 'narrow-dark.png'), { size: narrow, hash: open, scheme: 'dark', tab: 'Summary' })
    await view(browser, join(extra, 'empty.png'), { url: empty.url })
    await view(browser, join(extra, 'empty-narrow.png'), { url: empty.url, size: narrow })
    for (const entry of Object.values(special)) service.emit(entry)
    service.skip(37)
    await view(browser, join(extra, 'truncated.png'), { hash: `/logs/${special.truncated.entry_id}`, tab: 'Response' })
    await view(browser, join(extra, 'binary-dark.png'), { hash: `/logs/${special.binary.entry_id}`, tab: 'Response', scheme: 'dark' })
    await view(browser, join(extra, 'redacted.png'), { hash: `/logs/${special.redacted.entry_id}`, tab: 'Request' })
    await view(browser, join(extra, 'filter.png'), { act: async (page) => {
      await page.getByRole('searchbox').fill('orders 4')
      await page.getByRole('button', { name: '4xx' }).click()
    } })
    await view(browser, join(extra, 'no-match.png'), { act: (page) => page.getByRole('searchbox').fill('nothing like it') })
    await view(browser, join(extra, 'gap.png'), { act: async (page) => {
      service.skip(37)
      service.emit(specialEntries(kNow.getTime()).text)
      await page.getByTestId('gap').waitFor()
      await page.getByTestId('grid').evaluate((grid) => { grid.scrollTop = 300 })
      service.emit(makeEntries(1, kNow.getTime(), 3)[0])
      await page.getByTestId('new-pill').waitFor()
    } })
    await view(browser, join(extra, 'away.png'), { hash: open, act: async (page) => {
      await service.stop()
      await page.getByTestId('away').waitFor()
    } })
  }
} finally {
  await browser.close()
  await Promise.allSettled([service.stop(), empty.stop()])
}
