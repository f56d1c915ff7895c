// The log viewer in Debian's Chromium against the mock log service. Needs web/dist (npm run build).
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { MockLogService } from '../../web/test/mock-server.mjs'
import { makeEntries, specialEntries } from '../../web/test/sample-entries.mjs'
import { startBrowser } from './browser.mjs'
import { assertAccessible, assertNoSideScroll, openPage, openTab, rows, until, waitLive } from './page.mjs'

let browser
let service
let opened = []

before(async () => {
  browser = await startBrowser()
  await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'])
})
after(() => browser?.close())

beforeEach(async () => {
  service = await new MockLogService(makeEntries(900)).start()
})
afterEach(async () => {
  for (const { page, trouble } of opened) {
    await page.close()
    assert.deepEqual(trouble, [])
  }
  opened = []
  await service.stop()
})

async function open(options) {
  const one = await openPage(browser.context, service.url, options)
  opened.push(one)
  return one.page
}

const openEntry = (entry, options) => open({ ...options, path: `#/logs/${entry.entry_id}` })
const firstRow = (page) => rows(page).first().innerText()
const scrollTop = (page) => page.getByTestId('grid').evaluate((grid) => grid.scrollTop)
const activeRow = (page) => page.getByTestId('grid').getAttribute('aria-activedescendant')
const marked = (name) => ({ ...specialEntries().text, entry_id: `00000000-0000-4000-8000-${name.padStart(12, '0')}`, request: { url: `http://localhost:8000/${name}`, method: 'GET', headers: {} } })

describe('the list', () => {
  test('shows the newest entries first and asks nobody but its own service', async () => {
    const entries = makeEntries(900)
    const page = await open()
    await rows(page).first().waitFor()
    const newest = entries.at(-1)
    assert.ok((await firstRow(page)).includes(new URL(newest.request.url).pathname))
    assert.ok((await firstRow(page)).includes(String(newest.response.status_code)))
    await waitLive(page)
    assert.deepEqual([...opened[0].hosts], [`127.0.0.1:${service.port}`])
  })

  test('a live entry appears on top, once', async () => {
    const page = await open()
    await waitLive(page)
    service.emit(marked('live-one'))
    await rows(page).filter({ hasText: '/live-one' }).waitFor()
    assert.ok((await firstRow(page)).includes('/live-one'))
    service.emit(marked('live-one'))
    service.emit(marked('live-two'))
    await rows(page).filter({ hasText: '/live-two' }).waitFor()
    assert.equal(await rows(page).filter({ hasText: '/live-one' }).count(), 1)
  })

  test('pages back to the oldest entry and keeps few rows in the document', async () => {
    const page = await open()
    await rows(page).first().waitFor()
    await until(async () => {
      await page.getByTestId('grid').evaluate((grid) => { grid.scrollTop = grid.scrollHeight })
      return page.getByTestId('list-end').innerText()
    }, (text) => text.includes('whole log'), 'the end of the log is reached')
    assert.equal(await page.getByTestId('counts').innerText(), '900 entries loaded')
    assert.ok(await rows(page).count() < 90)
    const oldest = makeEntries(900)[0]
    assert.ok((await rows(page).last().innerText()).includes(new URL(oldest.request.url).pathname))
  })

  test('what arrives while scrolled away does not move the view; a pill leads back', async () => {
    const page = await open()
    await waitLive(page)
    await page.getByTestId('grid').evaluate((grid) => { grid.scrollTop = 1500 })
    const reference = rows(page).filter({ hasText: /./ }).nth(14)
    await until(() => rows(page).first().getAttribute('aria-rowindex'), (index) => Number(index) > 30, 'scrolled')
    const id = await reference.getAttribute('id')
    const before = (await reference.boundingBox()).y
    for (let n = 0; n < 25; n += 1) service.emit(marked(`away-${n}`))
    const pill = page.getByTestId('new-pill')
    await until(() => pill.innerText({ timeout: 15_000 }), (text) => text.includes('25 new'), 'the pill counts')
    assert.equal((await page.locator(`[id="${id}"]`).boundingBox()).y, before)
    await pill.click()
    await until(() => scrollTop(page), (top) => top === 0, 'back at the top')
    assert.ok((await firstRow(page)).includes('/away-24'))
    await pill.waitFor({ state: 'detached' })
  })

  test('holds entries back while paused', async () => {
    const page = await open()
    await waitLive(page)
    await page.getByTestId('pause').click()
    await page.getByTestId('live-state').getByText('Paused').waitFor()
    service.emit(marked('held-one'))
    service.emit(marked('held-two'))
    await until(() => page.getByTestId('held').innerText({ timeout: 15_000 }), (text) => text === '2', 'two are held')
    assert.equal(await rows(page).filter({ hasText: '/held' }).count(), 0)
    await page.getByTestId('pause').click()
    await rows(page).filter({ hasText: '/held-two' }).waitFor()
    assert.equal(await rows(page).filter({ hasText: '/held' }).count(), 2)
  })

  test('tells what the stream skipped', async () => {
    const page = await open()
    await waitLive(page)
    service.skip(37)
    service.emit(marked('after-gap'))
    await page.getByTestId('gap').getByText('37 entries were skipped here').waitFor()
    await page.getByRole('button', { name: 'Load the newest' }).click()
    await page.getByTestId('gap').waitFor({ state: 'detached' })
    assert.ok((await firstRow(page)).includes('/after-gap'))
  })

  test('filters by words and by status class', async () => {
    const page = await open()
    await waitLive(page)
    service.emit(marked('needle'))
    await rows(page).filter({ hasText: '/needle' }).waitFor()
    const search = page.getByRole('searchbox')
    await search.fill('needle 200')
    await until(() => rows(page).count(), (count) => count === 1, 'one row passes')
    await search.fill('')
    await page.getByRole('button', { name: '5xx' }).click()
    await until(() => rows(page).allInnerTexts(), (texts) => texts.length > 0 && texts.every((text) => /\b5\d\d\b/.test(text)), 'only 5xx')
  })

  test('a filter that nothing passes looks back a few pages, then asks', async () => {
    const page = await open()
    await waitLive(page)
    await page.getByRole('searchbox').fill('nothing is like this')
    await page.getByText('Nothing loaded matches').waitFor()
    assert.equal(await page.getByTestId('counts').innerText(), '0 of 800 loaded entries')
    await page.getByRole('button', { name: 'Look further back' }).click()
    await page.getByText('None of 900 loaded entries').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Look further back' }).count(), 0)
    await assertAccessible(page, 'nothing matches')
  })

  test('shows how to begin when nothing is recorded, then the first entry', async () => {
    await service.stop()
    service = await new MockLogService().start()
    const page = await open()
    await page.getByTestId('empty').getByText('curl -X POST').waitFor()
    await assertAccessible(page, 'empty')
    await waitLive(page)
    service.emit(marked('very-first'))
    await rows(page).filter({ hasText: '/very-first' }).waitFor()
  })
})

describe('one entry', () => {
  let special
  beforeEach(() => {
    special = specialEntries()
    for (const entry of Object.values(special)) service.emit(entry)
  })

  test('JSON is pretty, folds, and keeps its numbers; the raw text is one click away', async () => {
    const entry = { ...special.form, entry_id: 'json-entry', response: { ...special.form.response, body: '{"big":90071992547409931,"list":[1,{"deep":true}]}' } }
    service.emit(entry)
    const page = await openEntry(entry)
    await openTab(page, 'Response')
    const json = page.getByTestId('json')
    await json.getByText('90071992547409931').waitFor()
    await json.getByText('"deep"').waitFor()
    await json.getByRole('button', { name: 'list, 2 items' }).click()
    await json.getByText('"deep"').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Raw' }).click()
    await page.getByTestId('response-body').getByText('{"big":90071992547409931,"list":[1,{"deep":true}]}').waitFor()
  })

  test('marks what was cut', async () => {
    const page = await openEntry(special.truncated)
    await openTab(page, 'Response')
    await page.getByText('cut: 1,024 of 20,000 bytes').waitFor()
    await page.getByTestId('json').getByText('… cut here').first().waitFor()
  })

  test('marks what was redacted, and shows repeated headers one by one', async () => {
    const page = await openEntry(special.redacted)
    await openTab(page, 'Request')
    const detail = page.getByTestId('detail')
    await until(() => detail.getByText('redacted', { exact: true }).count(), (count) => count === 3, 'three marks')
    assert.equal(await detail.getByRole('row', { name: /x-dup/ }).count(), 2)
    await detail.getByText('The body is empty.').waitFor()
  })

  test('shows binary bodies as bytes', async () => {
    const page = await openEntry(special.binary)
    await openTab(page, 'Response')
    await page.getByTestId('hex').getByText('89 50 4e 47').waitFor()
    await page.getByRole('button', { name: 'Base64' }).click()
    await page.getByTestId('response-body').getByText('iVBORw0KGgo').waitFor()
  })

  test('shows forms as fields and text as text', async () => {
    const page = await openEntry(special.form)
    await openTab(page, 'Request')
    await page.getByRole('table', { name: 'Form fields' }).getByText('ada@example.com').waitFor()
    await page.goto(`${service.url}#/logs/${special.text.entry_id}`)
    await openTab(page, 'Response')
    await page.getByTestId('response-body').getByText('User-agent: *').waitFor()
  })

  test('an entry with nearly nothing in it can be read', async () => {
    const page = await open()
    await rows(page).filter({ hasText: '/only/a/path' }).waitFor()
    await waitLive(page)
    service.emit({ request: { url: '/live/without/anything' }, response: {} })
    await rows(page).filter({ hasText: '/live/without/anything' }).click()
    await openTab(page, 'Response')
    await page.getByText('The body was not recorded.').waitFor()
    await openTab(page, 'Summary')
    await page.getByTestId('timing').getByText('Not recorded.').waitFor()
  })

  test('recorded markup stays text', async () => {
    const page = await openEntry(special.hostile)
    page.on('dialog', (dialog) => assert.fail(`a recorded script ran: ${dialog.message()}`))
    await openTab(page, 'Response')
    await page.getByTestId('json').getByText('<i>key</i>').waitFor()
    assert.equal(await page.locator('#app img, #app i:has-text("key"), #app b').count(), 0)
  })

  test('copies the body and the request as cURL', async () => {
    const page = await openEntry(special.form)
    await page.getByRole('button', { name: 'Copy as cURL' }).click()
    await page.getByText('Copied').waitFor()
    const command = await page.evaluate(() => navigator.clipboard.readText())
    assert.ok(command.startsWith("curl 'http://localhost:8000/login'"), command)
    assert.ok(command.includes("--data-raw 'user=ada%40example.com&next=%2Faccount+settings'"), command)
    await openTab(page, 'Request')
    await page.getByRole('button', { name: 'Copy request body' }).click()
    await until(() => page.evaluate(() => navigator.clipboard.readText()), (text) => text === special.form.request.body, 'the body is copied')
  })

  test('an address that leads nowhere says so', async () => {
    const page = await open({ path: '#/logs/not-there' })
    await page.getByText('This entry is not stored.').waitFor()
    await page.getByTestId('close').click()
    await page.getByTestId('detail').waitFor({ state: 'detached' })
  })
})

describe('the keyboard', () => {
  test('moves, opens, follows, closes, filters, pauses', async () => {
    const page = await open()
    await waitLive(page)
    await page.keyboard.press('ArrowDown')
    const first = await until(() => activeRow(page), Boolean, 'a row is active')
    await page.keyboard.press('j')
    const second = await until(() => activeRow(page), (id) => id !== first, 'the next row is active')
    await page.keyboard.press('k')
    await until(() => activeRow(page), (id) => id === first, 'back on the first')
    await page.keyboard.press('Enter')
    await until(() => page.url(), (url) => url.endsWith(`#/logs/${first.slice(4)}`), 'the address names the first entry')
    await page.keyboard.press('ArrowDown')
    await until(() => page.url(), (url) => url.endsWith(`#/logs/${second.slice(4)}`), 'the detail follows')
    await page.keyboard.press('Escape')
    await page.getByTestId('detail').waitFor({ state: 'detached' })
    assert.ok(await page.getByTestId('grid').evaluate((grid) => grid === document.activeElement))

    await page.keyboard.press('End')
    await until(() => scrollTop(page), (top) => top > 3000, 'the last row is in view')
    await page.keyboard.press('Home')
    await until(() => scrollTop(page), (top) => top === 0, 'the first row is in view')
    await page.keyboard.press('PageDown')
    await until(() => activeRow(page), (id) => id !== first && id !== second, 'a page further')

    await page.keyboard.press('/')
    await page.keyboard.type('get j ')
    assert.equal(await page.getByRole('searchbox').inputValue(), 'get j ')
    await page.keyboard.press('Escape')
    assert.equal(await page.getByRole('searchbox').inputValue(), '')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Space')
    await page.getByTestId('live-state').getByText('Paused').waitFor()
    await page.keyboard.press('Space')
    await waitLive(page)
  })

  test('tabs are moved by arrows, and the split too', async () => {
    const page = await openEntry(makeEntries(900).at(-3))
    await page.getByRole('tab', { name: 'Response' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('tab', { name: 'Entry', selected: true }).waitFor()
    const before = (await page.getByTestId('detail').boundingBox()).width
    await page.getByTestId('split').focus()
    await page.keyboard.press('ArrowLeft')
    await until(async () => (await page.getByTestId('detail').boundingBox()).width, (width) => width > before, 'the pane grows')
  })
})

describe('the service goes away', () => {
  test('the page says so, comes back by itself, and has what it missed', async () => {
    const page = await open()
    await waitLive(page)
    service.emit(marked('before'))
    await rows(page).filter({ hasText: '/before' }).waitFor()
    const port = service.port
    await service.stop()
    await page.getByTestId('away').waitFor()
    assert.ok(await rows(page).count() > 10, 'the list stays')
    await assertAccessible(page, 'away')
    service.emit(marked('meanwhile'))
    await service.start(port)
    await rows(page).filter({ hasText: '/meanwhile' }).waitFor()
    await page.getByTestId('away').waitFor({ state: 'detached' })
    await waitLive(page)
    assert.equal(service.resumedFrom.at(-1), '901')
  })

  test('a page that was opened too early fills itself', async () => {
    const page = await open()
    await waitLive(page)
    const port = service.port
    // The page itself comes from the browser's memory here, as from a cache.
    await page.route('**/logs**', (route) => route.abort())
    await page.reload()
    await page.getByTestId('away').getByText('The log service does not answer.').waitFor()
    assert.equal(await rows(page).count(), 0)
    await assertAccessible(page, 'not loaded')
    await page.unroute('**/logs**')
    await rows(page).first().waitFor()
    assert.equal(service.port, port)
  })
})

describe('looks', () => {
  for (const scheme of ['light', 'dark']) {
    for (const size of [{ width: 390, height: 844 }, { width: 768, height: 1024 }, { width: 1440, height: 900 }, { width: 1920, height: 1080 }]) {
      test(`${scheme} at ${size.width} pixels: fits and is accessible`, async () => {
        const entries = specialEntries()
        for (const entry of Object.values(entries)) service.emit(entry)
        const page = await openEntry(entries.truncated, { size, scheme })
        await page.getByTestId('json').waitFor()
        await rows(page).first().waitFor()
        await waitLive(page)
        for (const tab of ['Response', 'Request', 'Summary', 'Entry']) {
          await openTab(page, tab)
          await assertNoSideScroll(page, tab)
          // The tabs' contents are the same at every width; axe takes its time.
          if (size.width === 1440 || tab === 'Request') await assertAccessible(page, tab)
        }
        const row = await rows(page).first().boundingBox()
        assert.ok(row.width <= size.width)
      })
    }
  }

  test('the theme follows the system, can be chosen, and is remembered', async () => {
    const theme = (page) => page.evaluate(() => document.documentElement.dataset.kuiTheme)
    const page = await open({ scheme: 'dark' })
    await waitLive(page)
    assert.equal(await theme(page), 'electric-lime-night')
    await page.getByTestId('theme').click()
    assert.equal(await theme(page), 'electric-lime-day')
    await page.reload()
    await waitLive(page)
    assert.equal(await theme(page), 'electric-lime-day')
    await page.getByTestId('theme').click()
    assert.equal(await theme(page), 'electric-lime-night')
    await page.emulateMedia({ colorScheme: 'light' })
    await until(() => theme(page), (name) => name === 'electric-lime-day', 'chosen as the system is, it follows the system')
  })
})
