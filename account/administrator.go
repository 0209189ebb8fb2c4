package account

import "parley"

// SetAdministrators changes Config.Administrators while the Authority works.
// Addresses that have not the form of one are passed over.
func (a *Authority) SetAdministrators(addresses []string) {
	list := make(map[string]bool, len(addresses))
	for _, address := range addresses {
		if normal, err := NormalAddress(address); err == nil {
			list[normal] = true
		}
	}
	a.administrators.Store(&list)
}

// Administrator gives the actor as which the person of a session acts in the
// administrator's pages. To everybody who is none it is withheld: such pages do
// not exist. It is asked anew for every request, so whoever is no administrator
// any more is none at once.
func (a *Authority) Administrator(s Session) (parley.Actor, error) {
	if s.Actor.Kind != parley.ActorPerson || s.Actor.Device == 0 {
		return parley.Actor{}, parley.ErrWithheld
	}
	if !(*a.administrators.Load())[s.Address] && !a.inAdministrators(s.Actor.Person) {
		return parley.Actor{}, parley.ErrWithheld
	}
	admin := s.Actor
	admin.Kind = parley.ActorAdmin
	return admin, nil
}
