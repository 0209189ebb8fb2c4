// Who is typing at the moment.
import { person, type Chat } from '../../core'
import { text } from '../../text/text'

/** Typing keeps its place also when nobody types, so that nothing jumps. */
export function Typing({ chat }: { chat: Chat }) {
  const names = chat.typing.value.map((id) => person(id).value?.display_name ?? text('person.unknown'))
  const [first] = names
  return (
    <p class="typing" role="status">
      {first !== undefined && text('talk.typing', { count: names.length, name: names.join(', ') })}
    </p>
  )
}
