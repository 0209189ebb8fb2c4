// Addresses of mail to somebody, for the device's own mail program.

/** mailHref is the address of a mail (RFC 6068). Whatever stands in the mail address is a part of it and no header of the mail. */
export const mailHref = (mail: string, subject?: string): string =>
  `mailto:${encodeURIComponent(mail).replaceAll('%40', '@')}${subject === undefined ? '' : `?subject=${encodeURIComponent(subject)}`}`
