import { describe, expect, it } from 'vitest'
import { asLatin1 } from './charset'
import { readContacts, withIds } from './read'
import type { ParsedCard } from './vcard'

const bytes = (s: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(s) as Uint8Array<ArrayBuffer>
const latin = (s: string): Uint8Array<ArrayBuffer> => Uint8Array.from(s, (c) => c.charCodeAt(0))
const utf16 = (s: string, big = false): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(s.length * 2)
  for (let i = 0; i < s.length; i++) {
    const unit = s.charCodeAt(i)
    out[2 * i] = big ? unit >> 8 : unit & 0xff
    out[2 * i + 1] = big ? unit & 0xff : unit >> 8
  }
  return out
}
const read = async (data: Uint8Array<ArrayBuffer> | string) => readContacts(typeof data === 'string' ? bytes(data) : data)
const only = async (data: Uint8Array<ArrayBuffer> | string): Promise<ParsedCard> => {
  const { cards, broken } = await read(data)
  expect({ count: cards.length, broken }).toEqual({ count: 1, broken: [] })
  return cards[0] as ParsedCard
}

describe('vCard', () => {
  it('of an iPhone: groups, labels, a picture, several cards', async () => {
    const { cards } = await read(
      [
        'BEGIN:VCARD', 'VERSION:3.0', 'PRODID:-//Apple Inc.//iPhone OS 19.1//EN', 'N:Lindqvist;Zoë;;;', 'FN:Zoë Lindqvist', 'ORG:Example Ltd;Yard;',
        'TITLE:Head of Yard', 'item1.EMAIL;type=INTERNET;type=pref:zoe.private@home.example', 'item1.X-ABLabel:_$!<Home>!$_',
        'EMAIL;type=INTERNET;type=WORK:zoe@example.org', 'item2.TEL;type=pref:+49 151 5550001', 'item2.X-ABLabel:iPhone', 'TEL;type=HOME;type=VOICE:030 555 0002',
        'TEL;type=FAX;type=WORK:030 555 0009', 'item3.IMPP;X-SERVICE-TYPE=Skype;type=pref:skype:zoe', 'IMPP:sip:zoe@example.org',
        'PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/', ' 2wBDAAEBAQEB', 'UID:8c3f-1', 'END:VCARD',
        'BEGIN:VCARD', 'VERSION:3.0', 'N:;;;;', 'FN:', 'ORG:Caf\u00e9 am Eck;', 'TEL;type=MAIN:030 555 0003', 'END:VCARD', '',
      ].join('\r\n'),
    )
    expect(cards[0]).toEqual({
      uid: '8c3f-1', name: 'Zoë Lindqvist', title: 'Head of Yard', company: 'Example Ltd', department: 'Yard',
      mails: ['zoe.private@home.example', 'zoe@example.org'], addresses: ['sip:zoe@example.org'],
      phones: [{ kind: 'mobile', number: '+49 151 5550001' }, { kind: 'home', number: '030 555 0002' }, { kind: 'other', number: '030 555 0009' }],
      picture: { type: 'image/jpeg', data: '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEB' },
    })
    expect(cards[1]).toEqual({ name: 'Café am Eck', company: 'Café am Eck', phones: [{ kind: 'other', number: '030 555 0003' }] })
  })

  it('2.1 with quoted-printable, soft breaks, types without names', async () => {
    const card = await only(
      latin('BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Gro=C3=9Fmann;J=C3=BCr=\r\ngen\r\nFN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:J=FCrgen Gro=DFmann\r\nTEL;CELL;PREF:0151 1\r\nTEL;WORK;VOICE:030 2\r\nEMAIL;INTERNET:j@example.org\r\nEND:VCARD\r\n'),
    )
    expect(card).toMatchObject({ name: 'Jürgen Großmann', phones: [{ kind: 'mobile', number: '0151 1' }, { kind: 'work', number: '030 2' }], mails: ['j@example.org'] })
  })

  it('4.0 with a URI for everything', async () => {
    const card = await only('BEGIN:VCARD\nVERSION:4.0\nFN:Simon Perreault\nTEL;VALUE=uri;PREF=1;TYPE="voice,work":tel:+1-418-656-9254;ext=102\nTEL;VALUE=uri;TYPE="cell":tel:+1-418-262-6501\nEMAIL;TYPE=work;PREF=2:b@x.example\nEMAIL;PREF=1:mailto:a@x.example\nPHOTO:data:image/png;base64,iVBORw0KGgo=\nPHOTO:https://elsewhere.example/p.jpg\nUID:urn:uuid:4fbe8971\nEND:VCARD')
    expect(card).toMatchObject({
      phones: [{ kind: 'work', number: '+1-418-656-9254;ext=102' }, { kind: 'mobile', number: '+1-418-262-6501' }], mails: ['a@x.example', 'b@x.example'],
      picture: { type: 'image/png', data: 'iVBORw0KGgo' }, uid: 'urn:uuid:4fbe8971',
    })
  })

  it('fetches no picture from elsewhere', async () => {
    expect(await only('BEGIN:VCARD\nFN:A\nPHOTO;VALUE=uri:https://elsewhere.example/p.jpg\nEND:VCARD')).toEqual({ name: 'A' })
  })

  it('takes escapes apart', async () => {
    expect(await only('BEGIN:VCARD\nFN:A\\, B\\; C\\\\D\\nE\nORG:One\\;Two;Three\\, Four\nEND:VCARD')).toEqual({ name: 'A, B; C\\D E', company: 'One;Two', department: 'Three, Four' })
  })

  const name = 'Ängström Müller'
  const inOther = 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ängström Müller\r\nEND:VCARD\r\n'
  it.each([
    ['UTF-8', bytes(inOther)],
    ['UTF-8 with a mark', bytes(`\ufeff${inOther}`)],
    ['UTF-16LE with a mark', utf16(`\ufeff${inOther}`)],
    ['UTF-16BE with a mark', utf16(`\ufeff${inOther}`, true)],
    ['UTF-16LE', utf16(inOther)],
    ['Windows-1252', latin(inOther)],
  ])('in %s', async (_, data) => expect((await only(data)).name).toBe(name))

  it('in Shift_JIS and ISO-8859-5, where the property says so', async () => {
    const sjis = latin('BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=SHIFT_JIS:\x82\xb3\x82\xad\x82\xe7\nNOTE;CHARSET=ISO-8859-1:\xe4\nEND:VCARD')
    expect((await only(sjis)).name).toBe('さくら')
    expect((await only(latin('BEGIN:VCARD\nFN;CHARSET=ISO-8859-5:\xb8\xd2\xd0\xdd\nEND:VCARD'))).name).toBe('Иван')
  })

  it('leaves out broken cards, and says where they begin', async () => {
    const { cards, broken } = await read('junk\nBEGIN:VCARD\nFN:One\nBEGIN:VCARD\nFN:Two\nEND:VCARD\nBEGIN:VCARD\nNOTE:nobody\nEND:VCARD\nBEGIN:VCARD\nFN:Cut off')
    expect(cards.map((c) => c.name)).toEqual(['Two'])
    expect(broken).toEqual([2, 7, 10])
  })
})

describe('tables', () => {
  it.each([
    ['Google', 'First Name,Middle Name,Last Name,Nickname,Organization Name,Organization Title,Organization Department,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\nAnn,,Lee,,Example,Boss,Yard,* Work,a@x.example,Home,b@x.example ::: c@x.example,Mobile,+49 1,Work,+49 2'],
    ['Google, older', 'Name,Given Name,Family Name,E-mail 1 - Type,E-mail 1 - Value,E-mail 2 - Value,E-mail 3 - Value,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Organization 1 - Name,Organization 1 - Title,Organization 1 - Department\nAnn Lee,Ann,Lee,Work,a@x.example,b@x.example,c@x.example,Mobile,+49 1,Work,+49 2,Example,Boss,Yard'],
    ['Outlook, English', '"Title","First Name","Last Name","Company","Department","Job Title","Business Fax","Business Phone","Mobile Phone","E-mail Address","E-mail Type","E-mail Display Name","E-mail 2 Address","E-mail 3 Address"\r\n"Ms","Ann","Lee","Example","Yard","Boss","+49 9","+49 2","+49 1","a@x.example","SMTP","Ann Lee (a@x.example)","b@x.example","c@x.example"\r\n'],
    ['Outlook, German', 'Anrede;Vorname;Nachname;Firma;Abteilung;Position;Fax geschäftlich;Telefon geschäftlich;Mobiltelefon;E-Mail-Adresse;E-Mail-Typ;E-Mail: Angezeigter Name;E-Mail 2: Adresse;E-Mail 3: Adresse\nFrau;Ann;Lee;Example;Yard;Boss;+49 9;+49 2;+49 1;a@x.example;SMTP;Ann;b@x.example;c@x.example'],
    ['Outlook, French', 'Titre,Prénom,Nom,Société,Service,Fonction,Télécopie (bureau),Téléphone (bureau),Tél. mobile,Adresse de messagerie,Type de messagerie,Nom complet de l\'adresse de messagerie,Adresse de messagerie 2,Adresse de messagerie 3\nMme,Ann,Lee,Example,Yard,Boss,+49 9,+49 2,+49 1,a@x.example,SMTP,Ann,b@x.example,c@x.example'],
    ['Outlook, Spanish', 'Título;Nombre;Apellidos;Empresa;Departamento;Cargo;Fax del trabajo;Teléfono del trabajo;Móvil;Dirección de correo electrónico;Tipo de correo electrónico;Nombre de pantalla de correo electrónico a mostrar;Dirección de correo electrónico 2;Dirección de correo electrónico 3\nSra.;Ann;Lee;Example;Yard;Boss;+49 9;+49 2;+49 1;a@x.example;SMTP;Ann;b@x.example;c@x.example'],
    ['Outlook, Italian', 'Titolo;Nome;Cognome;Società;Reparto;Posizione;Fax (uff.);Telefono (uff.);Cellulare;Indirizzo posta elettronica;Tipo posta elettronica;Nome visualizzato posta elettronica;Indirizzo posta elettronica 2;Indirizzo posta elettronica 3\nSig.ra;Ann;Lee;Example;Yard;Boss;+49 9;+49 2;+49 1;a@x.example;SMTP;Ann;b@x.example;c@x.example'],
    ['Outlook, Dutch', 'Titel;Voornaam;Achternaam;Bedrijf;Afdeling;Functie;Fax op werk;Telefoon op werk;Mobiele telefoon;E-mailadres;E-mailtype;E-mail, weergegeven naam;E-mailadres 2;E-mailadres 3\nMevr.;Ann;Lee;Example;Yard;Boss;+49 9;+49 2;+49 1;a@x.example;SMTP;Ann;b@x.example;c@x.example'],
    ['Outlook, Portuguese', 'Título;Nome;Sobrenome;Empresa;Departamento;Cargo;Fax comercial;Telefone comercial;Celular;Endereço de email;Tipo de email;Nome para exibição do email;Endereço de email 2;Endereço de email 3\nSra.;Ann;Lee;Example;Yard;Boss;+49 9;+49 2;+49 1;a@x.example;SMTP;Ann;b@x.example;c@x.example'],
    ['Outlook, Swedish', 'Titel\tFörnamn\tEfternamn\tFöretag\tAvdelning\tBefattning\tFax, arbete\tTelefon, arbete\tMobiltelefon\tE-postadress\tE-posttyp\tE-post, visningsnamn\tE-post 2, adress\tE-post 3, adress\nFru\tAnn\tLee\tExample\tYard\tBoss\t+49 9\t+49 2\t+49 1\ta@x.example\tSMTP\tAnn\tb@x.example\tc@x.example'],
    ['Outlook, Russian', 'Имя;Фамилия;Организация;Отдел;Должность;Рабочий факс;Рабочий телефон;Мобильный телефон;Адрес эл. почты;Тип эл. почты;Адрес 2 эл. почты;Адрес 3 эл. почты\nAnn;Lee;Example;Yard;Boss;+49 9;+49 2;+49 1;a@x.example;SMTP;b@x.example;c@x.example'],
    ['Outlook, Japanese', '名,姓,会社名,部署,役職,会社電話,携帯電話,電子メール アドレス,電子メールの種類,電子メール 2 アドレス,電子メール 3 アドレス\nAnn,Lee,Example,Yard,Boss,+49 2,+49 1,a@x.example,SMTP,b@x.example,c@x.example'],
  ])('of %s', async (_, table) => {
    const card = await only(table)
    expect(card).toMatchObject({ name: 'Ann Lee', company: 'Example', department: 'Yard', title: 'Boss', mails: ['a@x.example', 'b@x.example', 'c@x.example'] })
    expect([...(card.phones ?? [])].sort((a, b) => a.number.localeCompare(b.number))).toEqual([{ kind: 'mobile', number: '+49 1' }, { kind: 'work', number: '+49 2' }])
  })

  it('with a mark, quotes, line breaks inside them, and a line for Excel', async () => {
    const { cards, broken } = await read('\ufeffsep=;\r\nName;E-mail Address;Notes\r\n"Lee; ""Ann""";a@x.example;"two\r\nlines"\r\n\r\n;;\r\nBen;b@x.example;')
    expect(cards).toEqual([{ name: 'Lee; "Ann"', mails: ['a@x.example'] }, { name: 'Ben', mails: ['b@x.example'] }])
    expect(broken).toEqual([])
  })

  it('in Windows-1252 and Shift_JIS', async () => {
    expect(await only(latin('Vorname;Nachname;E-Mail-Adresse\nJ\xfcrgen;Gro\xdfmann;j@x.example'))).toMatchObject({ name: 'Jürgen Großmann' })
    const sjis = '\x96\xbc,\x90\xa9,\x93\x64\x8e\x71\x83\x81\x81\x5b\x83\x8b \x83\x41\x83\x68\x83\x8c\x83\x58\n\x82\xb3\x82\xad\x82\xe7,\x8e\x52,s@x.example'
    expect(await only(latin(sjis))).toMatchObject({ name: 'さくら 山', mails: ['s@x.example'] })
  })

  it('that are none of contacts are refused', async () => {
    expect(await read('date,amount\n2026-01-01,5')).toEqual({ cards: [], broken: [1] })
    expect(await read('')).toEqual({ cards: [], broken: [] })
    expect((await read(Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]))).cards).toEqual([])
  })
})

describe('any bytes', () => {
  it('never throw and never hang', async () => {
    let seed = 7
    const random = (n: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n
    const parts = ['BEGIN:VCARD\n', 'END:VCARD\n', 'VERSION:2.1\n', 'FN', ';ENCODING=QUOTED-PRINTABLE', ';CHARSET=x-none', ':', '=\n', '=C3', '=ZZ', '\r', ' ', '"', ',', ';', 'EMAIL:a@b.example\n', 'AGENT:\n', 'PHOTO;ENCODING=b:', 'AAAA\n ', 'Name,E-mail\n', '\ufeff', 'ü', '\u0000', 'sep=\n', '\\', 'item1.TEL;TYPE="', 'TEL:1\n']
    for (let i = 0; i < 3_000; i++) {
      const text = Array.from({ length: random(30) }, () => parts[random(parts.length)]).join('')
      const data = i % 3 === 0 ? bytes(text) : i % 3 === 1 ? utf16(text) : Uint8Array.from({ length: random(200) }, () => random(256))
      const { cards } = await readContacts(data)
      for (const card of cards) expect(card.name).not.toBe('')
    }
  }, 20_000)

  it('however long, take no more than their share', async () => {
    const long = 'a'.repeat(300_000)
    const begun = performance.now()
    for (const text of [`BEGIN:VCARD\nFN:${long}\nTEL;${long}:1\n${long}:x\nEND:VCARD`, `BEGIN:VCARD\n${'N:;'.repeat(50_000)}\nEND:VCARD`, `"${long}`, ';'.repeat(300_000), 'BEGIN:VCARD\n'.repeat(30_000), `BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:${'=\n'.repeat(30_000)}\nEND:VCARD`, `BEGIN:VCARD\nPHOTO:data:image/png;${';base64'.repeat(30_000)}\nEND:VCARD`]) await read(text)
    expect(performance.now() - begun).toBeLessThan(5_000)
  }, 20_000)
})

describe('ids', () => {
  const none = async () => undefined
  it('are the same when the same export is brought in again, and follow the UID', async () => {
    const cards: ParsedCard[] = [{ name: 'Ann', mails: ['B@x.example', 'a@x.example'] }, { name: 'Ben', uid: 'urn:uuid:1-2' }, { name: 'Cem', phones: [{ kind: 'work', number: '+49 1' }] }]
    const ids = (await withIds(cards, none)).map((c) => c.id)
    expect(ids[1]).toBe('1-2')
    const again = await withIds([{ name: 'Ann', mails: ['a@X.example', 'b@x.example'] }, { name: 'Benjamin', uid: '1-2' }, { name: 'Cem', phones: [{ kind: 'home', number: '+49-1' }] }], none)
    expect(again.map((c) => c.id)).toEqual(ids)
    expect(new Set(ids).size).toBe(3)
  })
  it('keep one card of those that are the same', async () => expect(await withIds([{ name: 'A', uid: '1' }, { name: 'B', uid: '1' }], none)).toEqual([{ id: '1', name: 'B' }]))
})

it('reads 10,000 cards and rests in between', async () => {
  const file = Array.from({ length: 10_000 }, (_, i) => `BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Card ${i}\r\nEMAIL:c${i}@x.example\r\nTEL:+49 30 ${i}\r\nEND:VCARD\r\n`).join('')
  let told = 0
  expect((await readContacts(bytes(file), () => told++)).cards).toHaveLength(10_000)
  expect(told).toBeGreaterThan(1)
})

it('keeps bytes as they are', () => expect(asLatin1(Uint8Array.from({ length: 70_000 }, (_, i) => i % 256)).charCodeAt(65_535)).toBe(255))
