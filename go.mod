module parley

go 1.26.0

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/alexedwards/argon2id v1.0.0
	github.com/caddyserver/certmagic v0.25.6
	github.com/danielgtaylor/huma/v2 v2.37.2
	github.com/lxzan/gws v1.8.9
	github.com/nyaruka/phonenumbers v1.8.0
	github.com/pressly/goose/v3 v3.28.0
	github.com/prometheus/client_golang v1.24.1
	golang.org/x/crypto v0.58.0
	golang.org/x/image v0.47.0
	golang.org/x/net v0.60.0
	golang.org/x/sync v0.24.0
	golang.org/x/text v0.43.0
	modernc.org/sqlite v1.57.0
	pgregory.net/rapid v1.3.0
	rsc.io/qr v0.2.0
)
