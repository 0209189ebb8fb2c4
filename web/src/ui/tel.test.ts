import { describe, expect, it } from 'vitest'
import { copied, dialable, internationalOf, readable, telHref } from './tel'

describe('dialable', () => {
  it.each([
    ['+49 (30) 1234-56', '+4930123456'],
    ['030 / 123 456', '030123456'],
    ['00 49+30', '004930'],
    ['*100#', '*100#'],
    ['*31#+49 40 123456', '*31#+4940123456'],
    ['12#+3', '12#3'],
    ['１２３', '123'],
    ['call me', ''],
    ['', ''],
  ])('%s', (number, want) => {
    expect(dialable(number)).toBe(want)
  })

})

describe('telHref', () => {
  it.each([
    ['+49 (30) 1234-56', 'tel:+4930123456'],
    ['030 / 123 456', 'tel:030123456'],
    ['+49 (0)40 123456', 'tel:+4940123456'],
    ['+39 (0)6 12345', 'tel:+390612345'],
    ['tel:+49-40-1234', 'tel:+49401234'],
    ['Tel. 040 1234', 'tel:0401234'],
    ['040 1234 (office)', 'tel:0401234'],
    ['*100#', 'tel:*100%23'],
    ['*31#+49 40 123456', 'tel:*31%23+4940123456'],
    ['１２３', 'tel:123'],
    // Extensions
    ['+49 40 1234-56 ext. 7', 'tel:+4940123456;ext=7'],
    ['+1-418-656-9254;ext=102', 'tel:+14186569254;ext=102'],
    ['(030) 1234 x 56', 'tel:0301234;ext=56'],
    ['030 1234x56', 'tel:0301234;ext=56'],
    ['030 1234, Extension: 56', 'tel:0301234;ext=56'],
    ['+49 40 1234 (ext 5)', 'tel:+49401234;ext=5'],
    // What is dialled after a pause is left to the person.
    ['+49 40 1234,,7#', 'tel:+49401234'],
    ['+49 40 1234;7', 'tel:+49401234'],
    ['+49401234p7', 'tel:+49401234'],
    ['+49 40 1234 w 7', undefined],
    ['+49 40 1234w7', 'tel:+49401234'],
    ['040 1234, 040 5678', 'tel:0401234'],
    // Letters
    ['0800-FLOWERS', 'tel:08003569377'],
    ['1 800 CALL-ATT', 'tel:18002255288'],
    ['0800-PWNED', 'tel:080079633'],
    ['040 1234 or 5678', undefined],
    ['040 1234 Büro', undefined],
    ['javascript:alert(1)', undefined],
    ['call me', undefined],
    ['MAX 1', undefined],
    ['+', undefined],
    ['#', undefined],
    ['', undefined],
  ])('%s', (written, want) => expect(telHref(written)).toBe(want))
})

describe('international form', () => {
  it.each([
    [{ number: '044 668 00 04', dial: '+41446680004', shown: '044 668 00 04' }, '044 668 00 04', '+41446680004', '+41446680004'],
    [{ number: '+46 8 555 0002' }, '+46 8 555 0002', '+4685550002', '+4685550002'],
    [{ number: '+44 (0)20 7946 0958' }, '+44 (0)20 7946 0958', '+442079460958', '+442079460958'],
    [{ number: '0151 555 0001', dial: '' }, '0151 555 0001', undefined, '0151 555 0001'],
    [{ number: '2042' }, '2042', undefined, '2042'],
    [{ number: '+46 8 5550002 ext. 7' }, '+46 8 5550002 ext. 7', undefined, '+46 8 5550002 ext. 7'],
    [{ number: '+0 12' }, '+0 12', undefined, '+0 12'],
  ])('%j', (phone, shown, dial, copy) => expect([readable(phone), internationalOf(phone), copied(phone)]).toEqual([shown, dial, copy]))
})
