package lan

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strings"
	plist "text/template"
)

//go:embed page
var pages embed.FS

var (
	trustPage = template.Must(template.ParseFS(pages, "page/trust.html"))
	profile   = plist.Must(plist.New("profile").Parse(profileText))
)

// profileText is an Apple configuration profile with one payload, the
// certificate. Nothing that is put into it has characters that XML treats
// specially.
const profileText = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadType</key><string>Configuration</string>
	<key>PayloadVersion</key><integer>1</integer>
	<key>PayloadIdentifier</key><string>local.parley.{{.ID}}</string>
	<key>PayloadUUID</key><string>{{.ID}}</string>
	<key>PayloadDisplayName</key><string>{{.Name}}</string>
	<key>PayloadDescription</key><string>Lets this device trust Parley on a computer in this network.</string>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadType</key><string>com.apple.security.root</string>
			<key>PayloadVersion</key><integer>1</integer>
			<key>PayloadIdentifier</key><string>local.parley.{{.ID}}.certificate</string>
			<key>PayloadUUID</key><string>{{.ContentID}}</string>
			<key>PayloadDisplayName</key><string>{{.Name}}</string>
			<key>PayloadCertificateFileName</key><string>parley.crt</string>
			<key>PayloadContent</key><data>{{.Certificate}}</data>
		</dict>
	</array>
</dict>
</plist>
`

// Page serves, over plain HTTP, the page that explains how to trust the
// authority, and the authority's certificate in the forms that phones take.
// Everything else leads to that page. httpsPort is where the app is.
func (a *Authority) Page(httpsPort string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /trust", func(w http.ResponseWriter, r *http.Request) { a.trust(w, r, httpsPort) })
	mux.HandleFunc("GET /trust.css", asset("trust.css"))
	mux.HandleFunc("GET /trust.js", asset("trust.js"))
	mux.HandleFunc("GET /parley.mobileconfig", a.profile)
	mux.HandleFunc("GET /parley.crt", a.crt)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/trust", http.StatusFound) })
	return mux
}

func (a *Authority) trust(w http.ResponseWriter, r *http.Request, httpsPort string) {
	host := r.Host
	if name, _, err := net.SplitHostPort(r.Host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if addr, err := netip.ParseAddr(host); err == nil && !Private(addr) || err != nil && !ownName(host) {
		http.Error(w, "This page is for the private network only.", http.StatusMisdirectedRequest)
		return
	}
	var b bytes.Buffer
	app := "https://" + net.JoinHostPort(host, httpsPort)
	err := trustPage.ExecuteTemplate(&b, "trust.html", map[string]string{
		"App": app, "Name": a.certificate.Subject.CommonName, "Fingerprint": a.Fingerprint(),
	})
	if err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; "+
		"frame-ancestors 'none'; connect-src "+app)
	header.Set("Cache-Control", "no-store")
	send(w, "text/html; charset=utf-8", b.Bytes())
}

// ownName reports whether a host name can be this machine's in its network. A
// page on another name that leads here is not answered.
func ownName(host string) bool {
	host = strings.ToLower(host)
	return host == "localhost" || label(host) != "" && host == label(host)+".local"
}

func (a *Authority) profile(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	sum := strings.ReplaceAll(a.Fingerprint(), ":", "")
	err := profile.Execute(&b, map[string]any{
		"ID":          uuid(sum[:32]),
		"ContentID":   uuid(sum[32:]),
		"Name":        a.certificate.Subject.CommonName,
		"Certificate": base64.StdEncoding.EncodeToString(a.certificate.Raw),
	})
	if err != nil {
		http.Error(w, "The profile could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Disposition", `attachment; filename="parley.mobileconfig"`)
	send(w, "application/x-apple-aspen-config", b.Bytes())
}

// uuid writes 32 hexadecimal digits as a UUID.
func uuid(digits string) string {
	return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
}

func (a *Authority) crt(w http.ResponseWriter, _ *http.Request) {
	send(w, "application/x-x509-ca-cert", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
}

func asset(name string) http.HandlerFunc {
	content, err := pages.ReadFile("page/" + name)
	if err != nil {
		panic(fmt.Sprintf("lan: %v", err)) // it is embedded
	}
	kind := "text/css; charset=utf-8"
	if strings.HasSuffix(name, ".js") {
		kind = "text/javascript; charset=utf-8"
	}
	return func(w http.ResponseWriter, _ *http.Request) { send(w, kind, content) }
}

func send(w http.ResponseWriter, kind string, content []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(content)
}
