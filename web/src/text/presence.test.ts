import { describe, expect, it } from 'vitest'
import { lightOf, presenceText } from './presence'

describe('presenceText and lightOf', () => {
  it.each([
    [3500, undefined, 'Available', 'available'],
    [4499, undefined, 'Available', 'available'],
    [5000, undefined, 'Inactive', 'inactive'],
    [6500, undefined, 'Busy', 'busy'],
    [6500, 'on-the-phone', 'In a call', 'busy'],
    [6500, 'in-a-meeting', 'In a meeting', 'busy'],
    [6500, 'in-a-conference', 'In a conference call', 'busy'],
    [6900, 'urgent-interruptions-only', 'Urgent interruptions only', 'busy'],
    [8000, undefined, 'Busy (inactive)', 'busy-inactive'],
    [9500, undefined, 'Do Not Disturb', 'do-not-disturb'],
    [9500, 'presenting', 'Presenting', 'do-not-disturb'],
    [12500, undefined, 'Be Right Back', 'be-right-back'],
    [12600, 'out-of-office', 'Out of office', 'be-right-back'],
    [15500, undefined, 'Away', 'away'],
    [15500, 'reachable-by-notification', 'Away, Mobile', 'away'],
    [15600, 'off-work', 'Off Work', 'away'],
    [18000, undefined, 'Offline', 'offline'],
    [18500, undefined, 'Offline', 'offline'],
    [99999, undefined, 'Offline', 'offline'],
  ])('%i %s', (availability, activity, words, light) => {
    expect(presenceText({ availability, activity })).toBe(words)
    expect(lightOf({ availability, activity })).toBe(light)
  })

  it('falls back to the range for a token of a newer server', () => {
    expect(presenceText({ availability: 6500, activity: 'on-the-moon' })).toBe('Busy')
    expect(presenceText({ availability: 6500, activity: 'toString' })).toBe('Busy')
  })

  it('shows nothing where nothing may be known', () => {
    expect(presenceText(undefined) + presenceText({})).toBe('')
    expect([lightOf(undefined), lightOf({}), lightOf({ availability: 12 })]).toEqual(['unknown', 'unknown', 'unknown'])
  })
})
