package account

import (
	"context"
	"errors"
	"time"

	"parley"
)

// ErrStale says that the facts a change was decided on are no longer the stored
// ones: the password was changed, or the person disabled, meanwhile. Nothing was
// changed.
var ErrStale = errors.New("account: decided on facts that have changed")

// Identity is a person as far as signing in is concerned.
type Identity struct {
	Person      parley.PersonID
	Address     string // sign-in address in the form NormalAddress gives
	DisplayName string
	Directory   string // parley.Person.Directory: where the password is
	Disabled    bool   // may not sign in, by an administrator's word
	Barred      bool   // likewise by the directory's own word
	Gone        bool   // no longer in the directory
}

// Enabled reports whether the person may sign in.
func (i Identity) Enabled() bool { return i.Person != 0 && !i.Disabled && !i.Barred && !i.Gone }

// Device is one signed-in device of a person.
type Device struct {
	ID           parley.DeviceID
	Person       parley.PersonID
	Class        parley.DeviceClass // fixed at sign-in
	Name         string             // what the device calls itself, for the list of devices
	Installation string             // the browser profile's own random id
	Created      time.Time
	LastUsed     time.Time // to ten minutes or so: uses are joined before they are written
	AuthTime     time.Time // when the person proved who they are
	Methods      []string  // how, in the words of RFC 8176

	// Expires is LastUsed and the idle time of the policy. The Authority
	// computes it; it is not stored.
	Expires time.Time

	// From is where the device began to read the log and Cursor up to where it
	// has acknowledged. The store sets both when it adds the device.
	From, Cursor parley.Pos

	// Waiting says that the device got everything that still waited for the
	// person when it signed in, because they had no other device. Else it began
	// at the head of the log, or where the device that it replaced had stopped.
	// The store sets it when it adds the device.
	Waiting bool
}

// NewDevice is what AddDevice needs.
type NewDevice struct {
	Device Device // ID, From, Cursor and Waiting are the store's to fill in

	// Token is the SHA-256 of the device token.
	Token [32]byte

	// CheckedHash is the password hash that the sign-in was checked against. A
	// password that was changed meanwhile must not leave a device behind.
	CheckedHash string

	// FreshKey becomes the history key of (person, installation) if there is
	// none yet.
	FreshKey []byte

	// Limit is how many devices the person may have, this one included. Beyond
	// it the ones used longest ago end.
	Limit int
}

// AddedDevice is what AddDevice did.
type AddedDevice struct {
	Device     Device            // complete, without Expires
	HistoryKey []byte            // of (person, installation): the one kept, or FreshKey
	Replaced   []parley.DeviceID // ended: earlier devices of the same person and installation
	Crowded    []parley.DeviceID // ended: past the limit
}

// PasswordChange is what SetPasswordHash does, in one transaction.
type PasswordChange struct {
	Person parley.PersonID
	Hash   string

	// Checked, if not empty, is the hash that must still be stored. If another
	// one is, nothing changes and the answer is ErrStale.
	Checked string

	// EndDevices ends every device of the person but Except (0: no exception).
	EndDevices bool
	Except     parley.DeviceID
}

// Invitation is a stored invitation to set a password.
type Invitation struct {
	Person  parley.PersonID
	Expires time.Time
}

// ResetRequest says that somebody asked for a new password for a person.
type ResetRequest struct {
	Person parley.PersonID
	At     time.Time // of the newest request
}

// Store is what the Authority needs to remember. Every method is one
// transaction; a method that changes something commits what is Alongside in the
// same one. Methods are safe for concurrent use. Reads see every change whose
// method has returned.
type Store interface {
	// IdentityByAddress finds a person by the normal form of the sign-in
	// address, people who may not sign in or are gone included; of several with one
	// address it is the one who is not gone. None: parley.ErrWithheld.
	IdentityByAddress(ctx context.Context, address string) (Identity, error)

	// IdentityBySource finds a person of the corporate directory
	// (parley.LDAP) by the id that the directory has for them. None:
	// parley.ErrWithheld.
	IdentityBySource(ctx context.Context, sourceID string) (Identity, error)

	// Identity finds a person by id. None: parley.ErrWithheld.
	Identity(ctx context.Context, person parley.PersonID) (Identity, error)

	// PasswordHash returns the hash in its PHC text form; "" when none is set
	// and when there is no such person.
	PasswordHash(ctx context.Context, person parley.PersonID) (string, error)

	// SetPasswordHash sets the hash, removes the person's invitations and reset
	// request when EndDevices is set, and returns the devices that it ended.
	SetPasswordHash(ctx context.Context, change PasswordChange, with parley.Alongside) (ended []parley.DeviceID, err error)

	// SetDisabled sets or clears an administrator's word that the person may
	// not sign in; an import of the directory does not undo it. Setting it ends
	// every device and removes every invitation of the person.
	SetDisabled(ctx context.Context, person parley.PersonID, disabled bool, with parley.Alongside) (ended []parley.DeviceID, err error)

	// AddDevice adds a device, ends those that it replaces or crowds out, and
	// says from where it reads the log. In the same transaction it checks that
	// the person may still sign in, and that the stored hash is CheckedHash:
	// if not, nothing changes and the answer is ErrStale. The audit records
	// alongside are stored with the new device as their actor's.
	AddDevice(ctx context.Context, device NewDevice, with parley.Alongside) (AddedDevice, error)

	// DeviceByToken finds a live device by the SHA-256 of its token. Unknown or
	// ended: parley.ErrWithheld. Whether its person may still sign in is not the
	// store's question.
	DeviceByToken(ctx context.Context, token [32]byte) (Device, error)

	// Devices returns a person's live devices, the one used last first.
	Devices(ctx context.Context, person parley.PersonID) ([]Device, error)

	// EndDevices ends the named live devices of the person (nil: all of them)
	// but except (0: no exception), and returns those that it ended. A device
	// of somebody else is left alone and not returned. The reason is for the
	// other nodes, which have to tell it to the devices.
	EndDevices(ctx context.Context, person parley.PersonID, devices []parley.DeviceID, except parley.DeviceID, reason parley.EndReason, with parley.Alongside) ([]parley.DeviceID, error)

	// TouchDevices moves LastUsed forward, never back; ended devices are
	// ignored.
	TouchDevices(ctx context.Context, used map[parley.DeviceID]time.Time) error

	// IdleDevices returns live devices last used before the given time.
	IdleDevices(ctx context.Context, usedBefore time.Time) ([]Device, error)

	// BarredDevices returns live devices of people who are disabled, barred or
	// gone: the directory may have said so.
	BarredDevices(ctx context.Context) ([]Device, error)

	// HistoryKey returns the key of a person's history in an installation.
	// None: parley.ErrWithheld.
	HistoryKey(ctx context.Context, person parley.PersonID, installation string) ([]byte, error)

	// AddInvitation stores an invitation under the SHA-256 of its code, in
	// place of an earlier one of the same person.
	AddInvitation(ctx context.Context, code [32]byte, invitation Invitation, with parley.Alongside) error

	// Invitation finds an invitation by the SHA-256 of its code, expired ones
	// included. None: parley.ErrWithheld.
	Invitation(ctx context.Context, code [32]byte) (Invitation, error)

	// UseInvitation sets the password of the invited person, removes the
	// person's invitations and reset request, and ends the person's devices. An
	// invitation that is no longer there, or whose person may not sign in:
	// parley.ErrWithheld, and nothing changes.
	UseInvitation(ctx context.Context, code [32]byte, hash string, with parley.Alongside) (ended []parley.DeviceID, err error)

	// RemoveInvitations removes those that expired before the given time, and says
	// how many there were.
	RemoveInvitations(ctx context.Context, expiredBefore time.Time) (int, error)

	// AddResetRequest stores a request, in place of an earlier one of the same
	// person.
	AddResetRequest(ctx context.Context, request ResetRequest, with parley.Alongside) error

	// ResetRequests returns all requests, the newest first.
	ResetRequests(ctx context.Context) ([]ResetRequest, error)
}
