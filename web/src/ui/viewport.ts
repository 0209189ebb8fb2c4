// The part of the screen that the on-screen keyboard leaves. iPhones lay the keyboard over the page instead of shrinking it.

/** startViewport keeps the app's height at what is visible while something is typed. A pinch zoom also shrinks the visual viewport; it is left alone. */
export function startViewport(): () => void {
  const view = window.visualViewport
  if (!view) return () => undefined
  const fit = () => {
    const covered = view.scale === 1 && window.innerHeight - view.height > 80
    if (!covered) {
      document.documentElement.style.removeProperty('--visible')
      document.documentElement.classList.remove('typing-now')
      return
    }
    document.documentElement.style.setProperty('--visible', `${view.height}px`)
    document.documentElement.classList.add('typing-now')
    window.scrollTo(0, 0)
  }
  view.addEventListener('resize', fit)
  view.addEventListener('scroll', fit)
  return () => {
    view.removeEventListener('resize', fit)
    view.removeEventListener('scroll', fit)
  }
}

/** coarse tells a touch screen from a mouse: there Enter makes a new line and the keyboard must not pop up by itself. */
export const coarse = (): boolean => matchMedia('(pointer: coarse)').matches
