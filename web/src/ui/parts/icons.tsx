// The app's pictograms, drawn for a 24 x 24 grid. They are decoration: the words beside or around them carry the meaning.
const stroked = (d: string) =>
  function Icon() {
    return (
      <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
        <path d={d} />
      </svg>
    )
  }

const filled = (d: string) =>
  function Icon() {
    return (
      <svg viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
        <path d={d} />
      </svg>
    )
  }

export const ContactsIcon = stroked('M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.4-3.6 3-5.6 6.5-5.6s6.1 2 6.5 5.6M16 4.3a3.5 3.5 0 0 1 0 6.5M18 14.7c2 .7 3.3 2.5 3.6 5.3')
export const ChatsIcon = stroked('M12 4c5 0 9 3.1 9 7.2s-4 7.3-9 7.3c-1 0-2-.1-2.9-.4L4.5 20.5l1-3.9C3.9 15.3 3 13.4 3 11.2 3 7.1 7 4 12 4Z')
export const PhoneIcon = stroked('M6.2 3.5 9 4.2l1.2 4-2 1.9a12 12 0 0 0 5.7 5.7l1.9-2 4 1.2.7 2.8c-.3 1.8-1.7 2.8-3.3 2.7C9.9 20 4 14.1 3.5 6.8c-.1-1.6.9-3 2.7-3.3Z')
export const InfoIcon = stroked('M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 12.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM6.3 18.7c.9-2.5 3-3.8 5.7-3.8s4.8 1.3 5.7 3.8')
export const SearchIcon = stroked('M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM20 20l-4.7-4.7')
export const BackIcon = stroked('M15 4.5 7.5 12l7.5 7.5')
export const ComposeIcon = stroked('M13 5H6a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-7M10 14l.8-3L18.5 3.3a1.5 1.5 0 0 1 2.2 2.2L13 13.2 10 14Z')
export const SendIcon = stroked('M12 19V5M5.5 11.5 12 5l6.5 6.5')
export const DownIcon = stroked('M12 5v14M5.5 12.5 12 19l6.5-6.5')
export const MailIcon = stroked('M5 5.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2ZM3.5 7.5 12 13.5l8.5-6')
export const CallIcon = filled('M6.5 3.2 9.3 4c.4.1.7.4.8.8l.9 3c.1.5 0 .9-.3 1.2L9.1 10.5a12 12 0 0 0 4.9 4.9l1.5-1.6c.3-.3.8-.4 1.2-.3l3 .9c.4.1.7.4.8.8l.7 2.7c.1.4 0 .8-.2 1.1-.9 1.3-2 1.9-3.5 1.8C10 20.4 3.6 14 3.2 6.6 3.1 5.1 3.7 4 5 3.2c.4-.2 1-.2 1.5 0Z')
export const EraseIcon = stroked('M8.5 5H20a1.5 1.5 0 0 1 1.5 1.5v11A1.5 1.5 0 0 1 20 19H8.5L2.5 12l6-7ZM11.5 9.5l5 5M16.5 9.5l-5 5')
export const TickIcon = stroked('M5 12.5 10 17.5 19.5 7')

export const AddIcon = stroked('M12 5v14M5 12h14')
export const StarIcon = stroked('M12 3.8l2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8L12 3.8Z')
export const MoreIcon = filled('M6 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM12 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM18 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z')
export const CopyIcon = stroked('M9 9h10v11H9zM15 9V4.5H5V15h4')
export const DeviceIcon = stroked('M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3ZM11 18h2')
export const MeetIcon = stroked('M5 6.5h14v13H5zM5 10.5h14M9 4v4M15 4v4')

/** The app's own mark, for the sign-in screen. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
      <rect width="64" height="64" rx="14" fill="#0a6cff" />
      <path fill="#fff" d="M20 14h13c9 0 15 5.5 15 13.5S42 41 33 41h-4v10h-9V14Zm9 8v11h3.5c4 0 6.3-2 6.3-5.5S36.5 22 32.5 22H29Z" />
    </svg>
  )
}
