import { describe, expect, it } from 'vitest'
import { dialable, telHref } from './tel'

describe('dialable', () => {
  it.each([
    ['+49 (30) 1234-56', '+4930123456'],
    ['030 / 123 456', '030123456'],
    ['00 49+30', '004930'],
    ['*100#', '*100#'],
    ['１２３', '123'],
    ['call me', ''],
    ['', ''],
  ])('%s', (number, want) => {
    expect(dialable(number)).toBe(want)
  })

  it('escapes the hash in an address', () => {
    expect(telHref('*100#')).toBe('tel:*100%23')
  })
})
