import { expect, it } from 'vitest'
import { mailHref } from './mail'

it.each([
  ['ada@parley.test', undefined, 'mailto:ada@parley.test'],
  ['o\'neill+x@parley.test', 'A & B?', "mailto:o'neill%2Bx@parley.test?subject=A%20%26%20B%3F"],
  ['a@b.test?bcc=c@d.test', undefined, 'mailto:a@b.test%3Fbcc%3Dc@d.test'],
])('%s, %s', (mail, subject, want) => expect(mailHref(mail, subject)).toBe(want))
