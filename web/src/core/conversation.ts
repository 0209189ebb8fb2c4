// Conversation ids of two people: "p3.p17", the lower number first.

const two = /^(p\d+)\.(p\d+)$/
const numberOf = (person: string): number => Number(person.slice(1))

/** The conversation of two different people. */
export const between = (a: string, b: string): string => (numberOf(a) < numberOf(b) ? `${a}.${b}` : `${b}.${a}`)

/** The other person of a conversation of two; empty for any other conversation. */
export function otherIn(conversation: string, me: string): string {
  const [, a = '', b = ''] = two.exec(conversation) ?? []
  return a === me ? b : b === me ? a : ''
}

/** Whether it belongs in the list of chats: of two people, or a group. */
export const isChat = (conversation: string): boolean => two.test(conversation) || /^g\d+$/.test(conversation)
