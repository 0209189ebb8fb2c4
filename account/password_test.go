package account

import (
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"

	"parley"
)

func TestNormalPassword(t *testing.T) {
	same := [][2]parley.Secret{
		{"pässword", "pa\u0308ssword"},       // composed and not
		{"two words", "two\u00a0words"},      // another space
		{"two words", "two\u3000words"},      // and another
		{" spaces stay ", " spaces stay "},   // nothing is trimmed
		{"\U0001F511 key", "\U0001F511 key"}, // symbols are fine
	}
	for _, pair := range same {
		a, errA := normalPassword(pair[0], "password")
		b, errB := normalPassword(pair[1], "password")
		if errA != nil || errB != nil || a != b {
			t.Errorf("%q and %q differ: %v, %v", string(pair[0]), string(pair[1]), errA, errB)
		}
	}
	upper, _ := normalPassword("Password", "password")
	lower, _ := normalPassword("password", "password")
	if upper == lower {
		t.Error("case is ignored")
	}
	if got, err := normalPassword(parley.Secret(strings.Repeat("x", maxPassword)), "password"); err != nil || len(got) != maxPassword {
		t.Errorf("longest password: %v", err)
	}
}

func TestNewPassword(t *testing.T) {
	who := Identity{Address: "anna.elisabeth@example.org", DisplayName: "Anna Elisabeth Berg"}
	tests := []struct {
		password parley.Secret
		key      string // "": accepted
	}{
		{"ten chars!", ""},
		{"nine char", "password.short"},
		{"übermäßig1", ""}, // ten characters, more bytes
		{"üüüüüüüüü", "password.short"},
		{"anna.elisabeth@example.org", "password.guessable"},
		{"ANNA.ELISABETH", "password.guessable"},
		{"anna elisabeth berg", "password.guessable"},
		{"AnnaElisabethBerg", "password.guessable"},
		{"anna elisabeth berg 1", ""},
		{"", "password.empty"},
		{"tab\tinside it", "password.characters"},
		{"bad \xff\xfe utf-8", "password.characters"},
		{parley.Secret(strings.Repeat("x", 1025)), "password.long"},
	}
	for _, test := range tests {
		_, err := newPassword(test.password, who, "password")
		if test.key == "" {
			if err != nil {
				t.Errorf("%q: %v", string(test.password), err)
			}
			continue
		}
		refused(t, err, parley.Invalid, test.key)
	}
}

func TestArgon2id(t *testing.T) {
	hash, err := Argon2id{}.Hash(annasPassword)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("parameters of %s", hash[:40])
	}
	if match, outdated, err := (Argon2id{}).Check(annasPassword, hash); !match || outdated || err != nil {
		t.Errorf("right password: %v, %v, %v", match, outdated, err)
	}
	if match, _, err := (Argon2id{}).Check("wrong", hash); match || err != nil {
		t.Errorf("wrong password: %v, %v", match, err)
	}
	weak, err := argon2id.CreateHash(annasPassword, &argon2id.Params{Memory: 8 << 10, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	if match, outdated, err := (Argon2id{}).Check(annasPassword, weak); !match || !outdated || err != nil {
		t.Errorf("weaker hash: %v, %v, %v", match, outdated, err)
	}
}

func FuzzArgon2idCheck(f *testing.F) {
	for _, seed := range []string{
		"", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2Fs$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
		"$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
		"$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
		"$argon2id$v=19$m=64,t=1,p=1$$",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		if match, _, _ := (Argon2id{}).Check("\x00 no such password \x00", hash); match {
			t.Errorf("%q matches", hash)
		}
	})
}

func TestCodes(t *testing.T) {
	code, stored := newCode()
	other, _ := newCode()
	if code == other || len(code) != codeLength {
		t.Fatalf("codes of %d bytes", len(code))
	}
	if hash, ok := hashCode(code); !ok || hash != stored {
		t.Error("the code is not recognised")
	}
	for _, bad := range []parley.Secret{"", code[:42], code + "A", code[:42] + "\n", code[:42] + "=", "+" + code[1:], code[:42] + "_"} {
		if hash, ok := hashCode(bad); ok && hash == stored && bad != code {
			t.Errorf("another spelling is accepted")
		}
	}
}

func FuzzHashCode(f *testing.F) {
	code, _ := newCode()
	f.Add(string(code))
	f.Add("")
	f.Add(strings.Repeat("A", 43))
	f.Add(strings.Repeat("A", 42) + "B") // bits that belong to no byte
	f.Add(strings.Repeat("A", 42) + "\n")
	f.Fuzz(func(t *testing.T, s string) {
		hash, ok := hashCode(parley.Secret(s))
		if ok != parleyCode(s) {
			t.Errorf("%q accepted: %v", s, ok)
		}
		if !ok && hash != [32]byte{} {
			t.Errorf("%q: a hash with a refusal", s)
		}
	})
}

// parleyCode says in other words what hashCode must accept.
func parleyCode(s string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(s) != 43 || strings.Trim(s, alphabet) != "" {
		return false
	}
	for _, r := range s {
		if !strings.ContainsRune(alphabet, r) {
			return false
		}
	}
	return strings.IndexByte(alphabet, s[42])%4 == 0
}
