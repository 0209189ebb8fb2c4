// The search field over people, and its results.
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { text } from '../../text/text'
import { watch, type DirectoryGroupRow, type PersonRow as Row } from '../../core'
import type { PeopleSearch } from '../people'
import { Blank, Bones, wordsFor } from './Blank'
import { SearchIcon } from './icons'
import { GroupRow, PersonRow } from './PersonRow'
import { List } from './rows'

/** SearchField is a field named "Search". */
export function SearchField({ search, focused = false }: { search: PeopleSearch; focused?: boolean }) {
  return (
    <label class="search">
      <SearchIcon />
      <input
        type="search"
        aria-label={text('search.label')}
        placeholder={text('search.label')}
        value={search.query.value}
        maxLength={200}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        enterkeyhint="search"
        autofocus={focused}
        onInput={(e) => search.type(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key !== 'Escape' || e.currentTarget.value === '') return
          e.preventDefault()
          search.type('')
        }}
      />
    </label>
  )
}

/** useWatch says whose presence a screen shows, for as long as it is there. */
export function useWatch(owner: string, people: readonly string[]): void {
  const ids = people.join()
  useEffect(() => watch(owner, ids === '' ? [] : ids.split(',')), [owner, ids])
  useEffect(() => () => watch(owner, []), [owner])
}

/** idsOf are the ids of some people. */
export const idsOf = (people: readonly Row[]): string[] => people.map((row) => row.id)

interface ResultsProps {
  search: PeopleSearch
  to: (row: Row) => string
  /** Where a group of the directory leads. Without it groups are left out. */
  toGroup?: (row: DirectoryGroupRow) => string
  current?: string | undefined
  /** What can be done with somebody who was found, at the end of the row. */
  deed?: (row: Row | DirectoryGroupRow) => ComponentChildren
}

/** Results are what a search found so far. */
export function Results({ search, to, toGroup, current, deed }: ResultsProps) {
  const found = search.found.value
  useWatch('search', idsOf(found?.people ?? []))
  if (!found) return null
  const groups = toGroup ? found.groups : []
  const count = found.people.length + groups.length
  if (!found.done && count === 0) return <Bones rows={3} />
  if (count === 0 && found.error === undefined) {
    return (
      <Blank title={text('search.none')}>
        <p role="status">{text('search.none-for', { query: found.query })}</p>
      </Blank>
    )
  }
  return (
    <>
      <p class="unseen" role="status">
        {found.done ? text('search.count', { count }) : ''}
      </p>
      {found.error !== undefined && (
        <p class="says soft" role="alert">
          {text('search.device-only', { reason: wordsFor(found.error) })}
        </p>
      )}
      <List kind="plain" label={text('search.results')}>
        {found.people.map((row) => (
          <PersonRow key={row.id} row={row} to={to(row)} current={row.id === current}>
            {deed?.(row)}
          </PersonRow>
        ))}
        {toGroup && groups.map((row) => (
          <GroupRow key={row.id} row={row} to={toGroup(row)} current={row.id === current}>
            {deed?.(row)}
          </GroupRow>
        ))}
      </List>
      {found.more && <p class="stamp">{text('search.more')}</p>}
    </>
  )
}
