import { describe, expect, it } from 'vitest'
import { split } from './links'

const links = (text: string) => split(text).flatMap((p) => (p.href === undefined ? [] : [p.href]))

describe('split', () => {
  it.each([
    ['no link at all', 'Lunch at 12:30?', []],
    ['http and https', 'see http://a.example and https://b.example/x?y=1#z', ['http://a.example', 'https://b.example/x?y=1#z']],
    ['upper-case scheme', 'HTTPS://A.example/', ['HTTPS://A.example/']],
    ['mailto and tel', 'mailto:jane@example.com or tel:+4930123456', ['mailto:jane@example.com', 'tel:+4930123456']],
    ['punctuation after it', 'Read https://a.example/page. Then https://b.example/!', ['https://a.example/page', 'https://b.example/']],
    ['in brackets', '(https://a.example/x)', ['https://a.example/x']],
    ['brackets of its own', 'https://a.example/Go_(game)', ['https://a.example/Go_(game)']],
    ['in angle brackets', '<https://a.example/x>', ['https://a.example/x']],
    ['other schemes stay text', 'javascript:alert(1) data:text/html,x file:///etc/passwd ftp://a.example', []],
    ['a scheme alone', 'http:// and mailto: and tel:', []],
    ['a broken host', 'https://[oops/', []],
    ['mailto without a domain', 'mailto:jane', []],
    ['inside a word', 'xhttps://a.example', []],
    ['a direction mark ends it', 'https://a.example/\u202Efdp.exe', ['https://a.example/']],
  ])('%s', (_, text, want) => {
    expect(links(text)).toEqual(want)
  })

  it.each(['', 'a', 'x https://a.example/y. z', '\n\nhttps://a.example\n', 'https://a.example,https://b.example'])('loses nothing of %j', (text) => {
    expect(split(text).map((p) => p.text).join('')).toBe(text)
  })

  it('shows exactly what it opens', () => {
    for (const piece of split('https://user@b.example/ and tel:0800-1234')) {
      if (piece.href !== undefined) expect(piece.text).toBe(piece.href)
    }
  })

  it('stays fast on hostile text', () => {
    const started = performance.now()
    split('https://' + '('.repeat(16_000))
    split('http://a.example/' + ')'.repeat(16_000))
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
