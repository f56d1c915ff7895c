// The way of one entry through a log service that serves the page. GIBBON_LOGS_URL names a running
// service (http://localhost:3000/); without it, the mock stands in.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { MockLogService } from '../../web/test/mock-server.mjs'
import { startBrowser } from './browser.mjs'
import { assertAccessible, openPage, openTab, rows, waitLive } from './page.mjs'

let browser
let mock
let url

before(async () => {
  if (process.env.GIBBON_LOGS_URL) {
    url = new URL('/', process.env.GIBBON_LOGS_URL).href
  } else {
    mock = await new MockLogService().start()
    url = mock.url
  }
  browser = await startBrowser()
})

after(async () => {
  await browser?.close()
  await mock?.stop()
})

test('an entry that is posted appears at once and can be read', async () => {
  const { page, trouble, hosts } = await openPage(browser.context, url)
  await waitLive(page)
  const mark = randomUUID()
  const now = Date.now()
  const answer = await fetch(new URL('/logs', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      id: now,
      type: 'kong_request_response',
      timestamp: new Date(now).toISOString(),
      request: { url: `http://localhost:8000/smoke/${mark}`, method: 'POST', headers: { authorization: '[REDACTED]' }, body: '{"test":1}' },
      response: { status_code: 201, headers: { 'content-type': 'application/json' }, body: `{"mark":"${mark}"}` },
    }),
  })
  assert.ok(answer.ok, `POST /logs answered ${answer.status}`)

  const row = rows(page).filter({ hasText: mark })
  await row.waitFor()
  assert.match(await row.innerText(), /POST[^]*201/)
  await row.click()
  await openTab(page, 'Response')
  await page.getByTestId('json').getByText(`"${mark}"`).waitFor()
  await openTab(page, 'Request')
  await page.getByTestId('detail').getByText('redacted', { exact: true }).waitFor()

  // The address leads back to the entry, without the live stream's help.
  await page.reload()
  await page.getByRole('heading', { name: mark }).waitFor()
  await assertAccessible(page, 'list and entry')
  assert.deepEqual([...hosts], [new URL(url).host])
  assert.deepEqual(trouble, [])
})
