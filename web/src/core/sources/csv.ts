// Reads tables of contacts as Google and Outlook export them, whatever the
// language: what a column holds is found by the words of its heading. It never
// throws.
import { dropEmpty, type ParsedCard } from './vcard'

const longestField = 10_000
const mostColumns = 500
const longestText = 500

/** The rows of a table, quotes and line breaks inside them taken apart, with the line at which each begins. */
export function* rowsOf(text: string): Generator<{ readonly fields: readonly string[]; readonly line: number }, void> {
  const begin = text.startsWith('\ufeff') ? 1 : 0
  const marked = /^"?sep=(.)"?\r?\n/i.exec(text.slice(begin, begin + 20))
  const separator = marked?.[1] ?? separatorOf(text.slice(begin, begin + 20_000))
  let at = begin + (marked?.[0].length ?? 0)
  let line = marked ? 2 : 1
  while (at < text.length) {
    const fields: string[] = []
    const from = line
    for (;;) {
      let field = ''
      if (text[at] === '"') {
        at++
        for (;;) {
          const end = text.indexOf('"', at)
          const part = text.slice(at, end < 0 ? text.length : end)
          field += part
          line += breaks(part)
          at = end < 0 ? text.length : end + 1
          if (text[at] !== '"') break
          field += '"'
          at++
        }
      }
      let end = at
      while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end++
      field += text.slice(at, end)
      at = end
      if (fields.length < mostColumns) fields.push(field.slice(0, longestField))
      if (text[at] !== separator) break
      at++
    }
    at += text.startsWith('\r\n', at) ? 2 : 1
    line++
    yield { fields, line: from }
  }
}

const breaks = (s: string): number => s.match(/\r\n|\r|\n/g)?.length ?? 0

// What stands most often between the headings.
function separatorOf(text: string): string {
  const counts = new Map([[',', 0], [';', 0], ['\t', 0]])
  let quoted = false
  for (const c of text) {
    if (c === '"') quoted = !quoted
    else if (!quoted && (c === '\n' || c === '\r')) break
    else if (!quoted && counts.has(c)) counts.set(c, (counts.get(c) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? ','
}

type Field = 'name' | 'given' | 'middle' | 'family' | 'nick' | 'mail' | 'title' | 'company' | 'department' | 'office' | 'uid' | 'sip'
type Kind = 'work' | 'mobile' | 'home' | 'other'
type Column = { readonly as: Field } | { readonly as: 'phone'; readonly kind: Kind; readonly typed?: number } | undefined

const words: readonly (readonly [Field, RegExp])[] = [
  ['given', /^(?:first ?name|given ?name|vorname|prenom|nombre|nome|voornaam|fornamn|fornavn|imie|имя|名|etunimi|jmeno)$/],
  ['middle', /^(?:middle ?name|additional name|weitere vornamen|zweiter vorname|deuxieme prenom|segundo nombre|secondo nome|middelste naam|tweede voornaam|nome do meio|mellannamn|mellomnavn|mellemnavn|drugie imie|отчество|ミドル ネーム)$/],
  ['family', /^(?:last ?name|family ?name|surname|nachname|familienname|nom|nom de famille|apellidos?|cognome|achternaam|sobrenome|apelido|efternamn|etternavn|efternavn|nazwisko|фамилия|姓|sukunimi|prijmeni)$/],
  ['name', /^(?:name|full ?name|display ?name|file as|anzeigename|nom complet|nom affiche|nombre completo|nome completo|volledige naam|weergavenaam|fullstandigt namn|visningsnamn|полное имя|氏名|表示名)$/],
  ['nick', /^(?:nick ?name|spitzname|surnom|apodo|soprannome|bijnaam|smeknamn|kallenavn|псевдоним|ニックネーム)$/],
  ['company', /^(?:company|organi[sz]ation(?: 1)?(?: -)?(?: name)?|firma|societe|entreprise|organisation|empresa|organizacion|organizzazione|societa|azienda|bedrijf|organizacao|foretag|firmanavn|organizacja|организация|会社名|勤務先)$/],
  ['department', /^(?:department|organization(?: 1)? - department|organization department|abteilung|service|departement|departamento|reparto|afdeling|avdelning|avdeling|dzial|отдел|部署|osasto)$/],
  ['title', /^(?:job ?title|organization(?: 1)? - title|organization title|position|funktion|berufsbezeichnung|fonction|profession|poste|puesto|cargo|posizione|qualifica|mansione|functie|befattning|stilling|stanowisko|должность|役職)$/],
  ['office', /^(?:office(?: location)?|buro|bureau|oficina|ubicacion de la oficina|ufficio|werklocatie|escritorio|kontor|biuro|расположение комнаты|事業所)$/],
  ['uid', /^(?:uid|unique ?id)$/],
  ['sip', /^(?:sip(?: address)?|im address|sip-adresse|adresse sip)$/],
]

// A person's form of address in Outlook and a job in other tables.
const titleOrPrefix = /^(?:title|titel|titre|titulo|titolo|tratamiento)$/
const mailWord = /e-?mail|e-?post(?!al)|courriel|messagerie|correo|posta elettronica|эл\. ?почт|электронн|メール/
const mailBeside = /type|typ\b|label|display|angezeigt|anzeige|complet|affich|mostrar|visuali|weergave|visnings|etiqueta|etichetta|отображ|краткое|表示|の種類/
const phoneWord = /phone|telef|telek|\btel\b|tel\.|mobil|movil|cell|celular|telemovel|komork|handy|gsm|abitazione|телефон|電話|携帯|puhelin/
const phoneBeside = /fax|telex|pager|isdn|tty|faks|assist|rueckruf|callback|radio|funk|type|typ\b|label|факс|ファックス/
const phoneKinds: readonly (readonly [RegExp, Kind])[] = [
  [/mobil|movil|cell|celular|telemovel|komork|handy|gsm|mobiele|перенос|мобил|携帯|iphone/, 'mobile'],
  [/home|privat|domicile|particular|abitazione|thuis|residenc|\bhem|hjem|domow|домаш|自宅|koti|maison|casa/, 'home'],
  [/business|work|geschaft|arbeit|buro|bureau|trabajo|uff|werk|comercial|emprego|arbet|arbei|firma|company|societe|empresa|bedrijf|foretag|sluzb|рабоч|会社|勤務先|travail|lavoro|trabalho|main|haupt/, 'work'],
]

const plain = (s: string): string =>
  s.normalize('NFKD').replace(/\p{Mn}/gu, '').normalize('NFC').toLowerCase().replace(/[ßøæł]/g, (c) => ({ ß: 'ss', ø: 'o', æ: 'ae', ł: 'l' })[c] ?? c).replace(/[_:]/g, ' ').replace(/\s+/g, ' ').trim()

const kindOf = (label: string): Kind => phoneKinds.find(([word]) => word.test(label))?.[1] ?? 'other'

/** What each column holds; undefined where the table is none of contacts. */
function columnsOf(headings: readonly string[]): Column[] | undefined {
  const names = headings.map(plain)
  const columns = names.map((name, i): Column => {
    const numbered = /^(?:phone|telefon|telefono|telephone|telefoon) (\d+) - (?:value|wert|valeur|valor|valore|waarde|varde)$/.exec(name)
    if (numbered) return { as: 'phone', kind: 'other', typed: i - 1 }
    if (mailWord.test(name)) return mailBeside.test(name) ? undefined : { as: 'mail' }
    const known = words.find(([, word]) => word.test(name))
    if (known) return { as: known[0] }
    if (phoneWord.test(name) && !phoneBeside.test(name)) return { as: 'phone', kind: kindOf(name) }
    return undefined
  })
  const has = (as: Field | 'phone'): boolean => columns.some((c) => c?.as === as)
  // "Nom" beside "Prénom" is a family name, alone it is all of it; "Nome" alone, too.
  const fix = (from: Field, to: Field): void => columns.forEach((c, i) => c?.as === from && (columns[i] = { as: to }))
  if (!has('given') && !has('name')) fix('family', 'name')
  if (!has('family') && !has('name')) fix('given', 'name')
  if (has('given') && !has('family')) fix('name', 'family')
  if (!has('title')) names.forEach((name, i) => titleOrPrefix.test(name) && !has('title') && (columns[i] = { as: 'title' }))
  if (!has('name') && !has('given') && !has('family') && !has('company')) return undefined
  return has('mail') || has('phone') ? columns : undefined
}

/** Reads the contacts of a table one after the other; a table that is none of contacts gives nothing but a broken line. */
export function* readTable(text: string): Generator<{ readonly card?: ParsedCard; readonly line: number }, void> {
  let columns: Column[] | undefined
  for (const { fields, line } of rowsOf(text)) {
    if (fields.every((f) => f.trim() === '')) continue
    if (!columns) {
      columns = columnsOf(fields)
      if (!columns) {
        yield { line }
        return
      }
      continue
    }
    const card = cardOf(columns, fields)
    yield card ? { card, line } : { line }
  }
}

const tidy = (s: string): string => s.replace(/\s+/g, ' ').trim().slice(0, longestText)

// Google puts several values into one field.
const several = (s: string): string[] => s.split(/ ::: /).map(tidy).filter((v) => v !== '')

function cardOf(columns: readonly Column[], fields: readonly string[]): ParsedCard | undefined {
  const all = (as: Field): string[] => columns.flatMap((c, i) => (c?.as === as ? several(fields[i] ?? '') : []))
  const one = (as: Field): string => all(as)[0] ?? ''
  const phones = columns.flatMap((c, i) => {
    if (c?.as !== 'phone') return []
    const kind = c.typed === undefined ? c.kind : kindOf(plain(fields[c.typed] ?? ''))
    return several(fields[i] ?? '').map((number) => ({ kind, number: number.slice(0, 64) }))
  })
  const mails = [...new Set(all('mail').filter((mail) => mail.includes('@')).map((mail) => mail.slice(0, 320)))]
  const name = one('name') || [one('given'), one('middle'), one('family')].filter((part) => part !== '').join(' ') || one('company') || mails[0] || phones[0]?.number || ''
  if (name === '') return undefined
  return dropEmpty({
    ...(one('uid') !== '' && { uid: one('uid') }),
    name,
    nick: one('nick'),
    mails: mails.slice(0, 50),
    addresses: all('sip').slice(0, 50),
    phones: phones.slice(0, 50),
    title: one('title'),
    company: one('company'),
    department: one('department'),
    office: one('office'),
  })
}
