package webapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley"
)

// The inputs of the operations.
type (
	nothing       struct{}
	bodyOf[T any] struct{ Body T }
	deviceInput   struct {
		Device string `path:"device" maxLength:"24"`
	}
	whoInput struct {
		Who string `path:"who" maxLength:"320" doc:"An id or a sign-in address."`
	}
	photoInput struct {
		Who         string `path:"who" maxLength:"320" doc:"An id or a sign-in address."`
		Size        string `query:"size" enum:"small,large" default:"small" doc:"96 or 320 pixels."`
		IfNoneMatch string `header:"If-None-Match" hidden:"true"`
	}
	searchInput struct {
		Query string `query:"q" required:"true" maxLength:"200"`
		Limit int    `query:"limit" minimum:"1" maximum:"50" default:"20"`
		Pad   bool   `query:"pad" doc:"The text was typed on a dial pad: its digits stand for letters of names, and for numbers."`
	}
	fetchBookInput struct {
		Book string `path:"book" maxLength:"24"`
		Body FetchAddressBookRequest
	}
	syncInput struct {
		After string `query:"after" maxLength:"64" doc:"A cursor; empty: from the start."`
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"200"`
	}
	policyInput struct {
		Key string `path:"key" maxLength:"64"`
	}
	setPolicyInput struct {
		Key  string `path:"key" maxLength:"64"`
		Body SetPolicyRequest
	}
	historyInput struct {
		Key    string `query:"key" maxLength:"64" doc:"Of one rule; empty: of all."`
		Before string `query:"before" maxLength:"24" doc:"The id of a change: older ones only."`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	afterInput struct {
		After string `query:"after" maxLength:"64" doc:"A cursor; empty: all."`
	}
)

// The outputs of the operations.
type (
	reply[T any]  struct{ Body T }
	sessionOutput struct {
		SetCookie []string `header:"Set-Cookie" hidden:"true"`
		Body      Session
	}
	cookieOutput struct {
		SetCookie []string `header:"Set-Cookie" hidden:"true"`
	}
	photoOutput struct {
		Status       int
		ContentType  string `header:"Content-Type"`
		ETag         string `header:"ETag"`
		CacheControl string `header:"Cache-Control"`
		Body         []byte
	}
)

// access says who may call an operation. What they then get is not decided here.
// The zero value lets nobody in.
type access uint8

const (
	anyone     access = iota + 1
	deviceOnly        // a person on a signed-in device: what belongs to the person alone
	viewer            // whoever has a session of any kind: what they see of people is decided by privacy
	adminOnly         // an administrator; to everybody else, signed in or not, there is no such operation
)

// refuses says why a caller may not call an operation; nil if they may.
func (s *Server) refuses(who access, c caller) error {
	actor := c.session.Actor
	switch {
	case who == anyone:
		return nil
	case who == adminOnly:
		_, err := s.administrator(c)
		return err
	case c.refused != nil:
		return c.refused
	case who == viewer, who == deviceOnly && actor.Kind == parley.ActorPerson && actor.Device != 0:
		return nil
	default:
		return errNoSession
	}
}

// operation is the part of a registration that differs.
type operation struct {
	id     string
	method string
	path   string
	who    access
	status int // of success; 0: 200 with a body, 204 without
	doc    string
}

// registerOperations puts every REST operation on the API. What is not
// registered here does not exist.
func (s *Server) registerOperations(api huma.API) {
	register(s, api, operation{id: "getAbout", method: "GET", path: "/api/about", who: anyone, doc: "What anybody may know of this server."}, s.getAbout)
	register(s, api, operation{id: "discover", method: "POST", path: "/api/discover", who: anyone, doc: "Where an address signs in."}, s.discover)
	register(s, api, operation{id: "signIn", method: "POST", path: "/api/session", who: anyone, doc: "Signs a device in."}, s.signIn)
	register(s, api, operation{id: "getSession", method: "GET", path: "/api/session", who: deviceOnly, doc: "The session again, for an app that starts."}, s.getSession)
	register(s, api, operation{id: "signOut", method: "DELETE", path: "/api/session", who: deviceOnly, doc: "Signs this device out."}, s.signOut)
	register(s, api, operation{id: "forgotPassword", method: "POST", path: "/api/password/forgotten", who: anyone, status: http.StatusAccepted, doc: "Shows the administrator that somebody forgot the password. The answer is always the same."}, s.forgotPassword)
	register(s, api, operation{id: "getInvitation", method: "POST", path: "/api/invitation", who: anyone, doc: "For whom an invitation is."}, s.getInvitation)
	register(s, api, operation{id: "useInvitation", method: "POST", path: "/api/invitation/password", who: anyone, doc: "Sets the first password, once."}, s.useInvitation)
	register(s, api, operation{id: "changePassword", method: "PUT", path: "/api/me/password", who: deviceOnly, doc: "Changes the password and signs the other devices out."}, s.changePassword)
	register(s, api, operation{id: "setPresence", method: "PUT", path: "/api/me/presence", who: deviceOnly, doc: "Chooses a state, or goes back to the automatic one."}, s.setPresence)
	register(s, api, operation{id: "setNote", method: "PUT", path: "/api/me/note", who: deviceOnly, doc: "Sets the personal note; empty removes it."}, s.setNote)
	register(s, api, operation{id: "searchPeople", method: "GET", path: "/api/people", who: viewer, doc: "People search."}, s.searchPeople)
	register(s, api, operation{id: "getCard", method: "GET", path: "/api/people/{who}", who: viewer, doc: "Everything that this viewer may see of a person."}, s.getCard)
	register(s, api, operation{id: "getPhoto", method: "GET", path: "/api/people/{who}/photo", who: viewer, doc: "The picture, a JPEG."}, s.getPhoto)
	register(s, api, operation{id: "getContacts", method: "GET", path: "/api/contacts", who: deviceOnly, doc: "The groups of the Contacts tab."}, s.getContacts)
	register(s, api, operation{id: "setContact", method: "PUT", path: "/api/contacts/{who}", who: deviceOnly, doc: "Adds a contact, or changes where they stand."}, s.setContact)
	register(s, api, operation{id: "removeContact", method: "DELETE", path: "/api/contacts/{who}", who: deviceOnly, status: http.StatusOK, doc: "Removes a contact from the list and all groups. The privacy relationship stays."}, s.removeContact)
	register(s, api, operation{id: "addContactGroup", method: "POST", path: "/api/contact-groups", who: deviceOnly, doc: "Makes a group of contacts, the last one."}, s.addContactGroup)
	register(s, api, operation{id: "changeContactGroup", method: "PUT", path: "/api/contact-groups/{group}", who: deviceOnly, doc: "Gives a group another name or place."}, s.changeContactGroup)
	register(s, api, operation{id: "deleteContactGroup", method: "DELETE", path: "/api/contact-groups/{group}", who: deviceOnly, status: http.StatusOK, doc: "Deletes a group. Its contacts stay in the list."}, s.deleteContactGroup)
	register(s, api, operation{id: "setRelationship", method: "PUT", path: "/api/people/{who}/relationship", who: deviceOnly, doc: "Decides how much a person gets to see."}, s.setRelationship)
	register(s, api, operation{id: "getAddressBooks", method: "GET", path: "/api/address-books", who: deviceOnly, doc: "The servers of people's own address books that are configured."}, s.getAddressBooks)
	register(s, api, operation{id: "fetchAddressBook", method: "POST", path: "/api/address-books/{book}/fetch", who: deviceOnly, doc: "Passes on what the person's own address book holds; nothing of it is kept."}, s.fetchAddressBook)
	register(s, api, operation{id: "exportContacts", method: "GET", path: "/api/contacts/export", who: deviceOnly, doc: "The own list of contacts as a file."}, s.exportContacts)
	register(s, api, operation{id: "importContacts", method: "POST", path: importPath, who: deviceOnly, doc: "Adds the contacts of a file to the own list."}, s.importContacts)
	register(s, api, operation{id: "getDirectoryGroup", method: "GET", path: "/api/directory-groups/{group}", who: viewer, doc: "A group of the directory and who is in it."}, s.getDirectoryGroup)
	register(s, api, operation{id: "getSettings", method: "GET", path: "/api/me/settings", who: deviceOnly, doc: "What the person has set up."}, s.getSettings)
	register(s, api, operation{id: "setPictures", method: "PUT", path: "/api/me/pictures", who: deviceOnly, status: http.StatusOK, doc: "Turns the switches for pictures, at a desk."}, s.setPictures)
	register(s, api, operation{id: "setPhones", method: "PUT", path: "/api/me/phones", who: deviceOnly, status: http.StatusOK, doc: "Replaces the phone numbers that the person typed, at a desk."}, s.setPhones)
	register(s, api, operation{id: "getDevices", method: "GET", path: "/api/devices", who: deviceOnly, doc: "The person's signed-in devices."}, s.getDevices)
	register(s, api, operation{id: "endDevice", method: "DELETE", path: "/api/devices/{device}", who: deviceOnly, doc: "Signs one of the own devices out."}, s.endDevice)
	register(s, api, operation{id: "sync", method: "GET", path: "/api/sync", who: deviceOnly, doc: "Entries after a cursor."}, s.sync)
	register(s, api, operation{id: "getMarks", method: "GET", path: "/api/marks", who: deviceOnly, doc: "Delivered and read marks that changed since a cursor."}, s.getMarks)
	register(s, api, operation{id: "getPolicies", method: "GET", path: "/api/admin/policies", who: adminOnly, doc: "The organisation's rules with their values."}, s.getPolicies)
	register(s, api, operation{id: "setPolicy", method: "PUT", path: "/api/admin/policies/{key}", who: adminOnly, doc: "Gives a rule a value, at once."}, s.setPolicy)
	register(s, api, operation{id: "resetPolicy", method: "DELETE", path: "/api/admin/policies/{key}", who: adminOnly, status: http.StatusOK, doc: "Gives a rule its default again."}, s.resetPolicy)
	register(s, api, operation{id: "getDirectory", method: "GET", path: "/api/admin/directory", who: adminOnly, doc: "How the synchronisation with the corporate directory stands."}, s.getDirectory)
	register(s, api, operation{id: "syncDirectory", method: "POST", path: "/api/admin/directory/sync", who: adminOnly, status: http.StatusAccepted, doc: "Begins a comparison of everything with the corporate directory."}, s.syncDirectory)
	register(s, api, operation{id: "getPolicyHistory", method: "GET", path: "/api/admin/policy-history", who: adminOnly, doc: "Who changed which rule, the newest change first."}, s.getPolicyHistory)
	register(s, api, operation{id: "getWellKnown", method: "GET", path: "/.well-known/parley", who: anyone, doc: "Where this domain signs in."}, s.getWellKnown)
}

// handler answers one operation. Who asks is in the caller.
type handler[I, O any] func(context.Context, caller, *I) (*O, error)

func register[I, O any](s *Server, api huma.API, op operation, h handler[I, O]) {
	o := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Description: op.doc, DefaultStatus: op.status,
		MaxBodyBytes: maxRequestBody + 1,
	}
	switch op.id {
	case "getPhoto":
		o.Responses = bytesOf("The picture.", "image/jpeg")
	case "exportContacts":
		o.Responses = bytesOf("The file.", "application/octet-stream")
	case "importContacts":
		o.MaxBodyBytes = maxImportBody + 1
	}
	if op.who != anyone {
		o.Security = []map[string][]string{{"session": {}}}
		o.Middlewares = huma.Middlewares{s.guard(op.who)}
	}
	huma.Register(api, o, func(ctx context.Context, in *I) (*O, error) {
		c := callerOf(ctx)
		out, err := h(ctx, c, in)
		if err != nil {
			return nil, s.refuse(err, "request", c.id, "operation", op.id, "device", c.session.Actor.Device)
		}
		return out, nil
	})
}

// bytesOf describes an answer that is not JSON.
func bytesOf(what, media string) map[string]*huma.Response {
	content := map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	return map[string]*huma.Response{"200": {Description: what, Content: content}}
}

// guard stands before the parameters and the body are looked at: who may not ask
// learns nothing of what they asked wrongly.
func (s *Server) guard(who access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := callerOf(ctx.Context())
		if err := s.refuses(who, c); err != nil {
			_, w := humago.Unwrap(ctx)
			writeProblem(w, s.refuse(err, "request", c.id, "operation", ctx.Operation().OperationID))
			return
		}
		next(ctx)
	}
}

// newAPI makes the huma API over mux with everything registered.
func (s *Server) newAPI(mux *http.ServeMux) huma.API {
	config := huma.DefaultConfig("Parley", "1")
	config.CreateHooks = nil // no $schema in bodies
	config.DocsPath, config.SchemasPath, config.OpenAPIPath = "", "", ""
	config.AllowAdditionalPropertiesByDefault = true // unknown fields are tolerated
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "http", Scheme: "bearer", Description: "The device token, as a bearer token or in the cookie parley or __Host-parley."},
	}
	api := humago.New(mux, config)
	s.registerOperations(api)
	describeSocket(api.OpenAPI())
	return api
}
