package storage_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// The HMAC vector of the wire's specification (1.9): a call of the Java SDK 2.0.1 as the system H29.12 with the secret s3cr3t.
const (
	vectorSecret = "s3cr3t"
	vectorSigned = `{"XroadVnpt-systemid":"H29.12","XroadVnpt-timestamp":"21112026T195114+0731","XroadVnpt-Content-Type":"application/json"}`
	vectorHash   = "ed55e123d6ee7339e29859eb27a44a301a33bdb58649d624a63b7e898ab68766"
)

var replaceSystems = storage.SystemImportMode{Replace: true}

// importer is an axis with a key file.
type importer struct {
	*axis
	key *storage.KeyFile
}

func newImporter(t *testing.T) importer {
	t.Helper()
	key, err := storage.OpenKeyFile(filepath.Join(t.TempDir(), "key"), true)
	must(t, err)
	return importer{newAxis(t), key}
}

func systemRow(row int, id, secret string, codes ...string) storage.SystemRow {
	r := storage.SystemRow{Row: row, ID: id, Secret: []byte(secret)}
	for _, c := range codes {
		bare, subtree := strings.CutSuffix(c, ".*")
		r.Serves = append(r.Serves, routing.Serving{System: id, Code: routing.Code(bare), Subtree: subtree})
	}
	return r
}

// takes imports, wants the counts and faults that are told as "added changed unchanged applied row:column:word…", and looks
// that the version of the systems moved exactly when something was written.
func (i importer) takes(want string, mode storage.SystemImportMode, rows ...storage.SystemRow) {
	i.t.Helper()
	before := one[int64](i.axis, `SELECT number FROM version WHERE name = 'systems'`)
	got, err := i.ImportSystems(i.t.Context(), i.key, rows, mode, "cli:test", i.now)
	must(i.t, err)
	said := fmt.Sprint(got.Added, got.Changed, got.Unchanged, got.Applied)
	for _, f := range got.Conflicts {
		said += fmt.Sprintf(" %d:%s:%s", f.Row, f.Column, f.Code)
		if f.VI == "" || f.EN == "" || strings.Contains(f.VI+f.EN, "%!") || f.Value != "" {
			i.t.Errorf("%+v", f)
		}
	}
	if said != want {
		i.t.Errorf("%s, want %s", said, want)
	}
	moved := one[int64](i.axis, `SELECT number FROM version WHERE name = 'systems'`) - before
	if wrote := got.Applied && got.Added+got.Changed > 0; (moved == 1) != wrote {
		i.t.Errorf("%s: the systems' version moved by %d", want, moved)
	}
}

// told writes a system down with its secrets opened.
func (i importer) told(id string) string {
	i.t.Helper()
	list, err := i.Systems(i.t.Context())
	must(i.t, err)
	at := slices.IndexFunc(list, func(y storage.System) bool { return y.ID == id })
	if at < 0 {
		return ""
	}
	y := list[at]
	var codes []string
	for _, v := range y.Serves {
		codes = append(codes, v.String())
	}
	old := ""
	if len(y.OldSecret) > 0 {
		old = " before " + i.open(y.OldSecret, id) + " until " + y.OldUntil.In(storage.Vietnam).Format("02/01 15:04")
	}
	return fmt.Sprintf("%s %s %s %s %d [%s] %s%s", y.Name, y.Kind, y.Way, y.Form, y.Rate, strings.Join(codes, " "), i.open(y.Secret, id), old)
}

func (i importer) open(sealed []byte, id string) string {
	i.t.Helper()
	clear, err := i.key.Open(sealed, storage.SecretPurpose(id))
	must(i.t, err)
	return string(clear)
}

func (i importer) is(id, want string) {
	i.t.Helper()
	if got := i.told(id); got != want {
		i.t.Errorf("%s is %q, want %q", id, got, want)
	}
}

// TestImportedSecretSigns: a system that was imported signs here as it did before.
func TestImportedSecretSigns(t *testing.T) {
	t.Parallel()
	i := newImporter(t)
	i.takes("1 0 0 true", storage.SystemImportMode{}, systemRow(2, "H29.12", vectorSecret, "H29.12"))
	list, err := i.Systems(t.Context())
	must(t, err)
	at := slices.IndexFunc(list, func(y storage.System) bool { return y.ID == "H29.12" })
	mac := hmac.New(sha256.New, []byte(i.open(list[at].Secret, "H29.12")))
	mac.Write([]byte(vectorSigned))
	if got := hex.EncodeToString(mac.Sum(nil)); got != vectorHash {
		t.Errorf("HMAC %s, the SDK sent %s", got, vectorHash)
	}
}

// TestImportSystems walks through a cut-over: ids of all kinds that are in use, defaults, the same file again, a file that
// changed.
func TestImportSystems(t *testing.T) {
	t.Parallel()
	i := newImporter(t)
	rate := 50
	hub := systemRow(3, "02.29.W00", "mật khẩu, \"có dấu\" ", "H29.*", "H29")
	hub.Name, hub.Form, hub.Rate = "Trục tỉnh", "old", &rate
	rows := []storage.SystemRow{systemRow(2, "vxp.saas.03", "x", "H01", "H01"), hub, systemRow(4, "000.00.00.H29", strings.Repeat("s", 1024), "H02"),
		systemRow(5, "H29.12", vectorSecret, "H29.12")}

	i.takes("4 0 0 false", storage.SystemImportMode{DryRun: true}, rows...)
	i.is("H29.12", "")
	i.takes("4 0 0 true", storage.SystemImportMode{}, rows...)
	i.is("vxp.saas.03", "vxp.saas.03 qlvb pull new 0 [H01] x")
	i.is("02.29.W00", `Trục tỉnh lgsp pull old 50 [H29 H29.*] mật khẩu, "có dấu" `)
	i.takes("0 0 4 true", storage.SystemImportMode{}, rows...)
	i.takes("0 0 4 true", replaceSystems, rows...)
	i.takes("0 0 1 true", storage.SystemImportMode{}, systemRow(2, "02.29.W00", string(hub.Secret), "H29", "H29.*")) // empty cells leave what is there

	// Without leave nothing of a system that is here changes, and no other row is taken.
	changed := systemRow(2, "H29.12", "new secret", "H03", "H29.12")
	changed.Name = "Sở Y tế"
	i.takes("1 0 0 false 2:secret:differs 2:agencies:differs 2:name:differs", storage.SystemImportMode{}, changed, systemRow(3, "new", "s", "H04"))
	i.is("new", "")
	i.takes("0 1 0 false", storage.SystemImportMode{Replace: true, DryRun: true}, changed)
	i.is("H29.12", "H29.12 qlvb pull new 0 [H29.12] s3cr3t")
	i.takes("0 1 0 true", replaceSystems, changed)
	i.is("H29.12", "Sở Y tế qlvb pull new 0 [H03 H29.12] new secret before s3cr3t until 30/11 08:00")
	i.takes("0 0 1 true", replaceSystems, changed)

	// Other codes alone do not touch the secrets, nor how long the old one is good.
	i.now = i.now.Add(time.Hour)
	i.takes("0 1 0 true", replaceSystems, systemRow(2, "H29.12", "new secret", "H29.12.*"))
	i.is("H29.12", "Sở Y tế qlvb pull new 0 [H29.12.*] new secret before s3cr3t until 30/11 08:00")

	// Codes change hands within one file, whatever the order.
	i.takes("0 2 0 true", replaceSystems, systemRow(2, "vxp.saas.03", "x", "H02"), systemRow(3, "000.00.00.H29", strings.Repeat("s", 1024), "H01"))
	i.is("vxp.saas.03", "vxp.saas.03 qlvb pull new 0 [H02] x")
	if lines := one[[]string](i.axis, `
		SELECT array_agg(action || ' ' || object || ': ' || detail ORDER BY id) FROM audit WHERE actor = 'cli:test'`); strings.Join(lines, "\n") != `system.add vxp.saas.03: pull, imported
system.add 02.29.W00: pull, imported
system.add 000.00.00.H29: pull, imported
system.add H29.12: pull, imported
system.replace H29.12: secret, agencies, name
system.replace H29.12: agencies
system.replace vxp.saas.03: agencies
system.replace 000.00.00.H29: agencies` {
		t.Errorf("audit:\n%s", strings.Join(lines, "\n"))
	}
	dump := one[string](i.axis, `SELECT string_agg(s::text, '') || (SELECT string_agg(a::text, '') FROM audit a) FROM system s`)
	for _, secret := range []string{vectorSecret, "new secret", hex.EncodeToString([]byte(vectorSecret)), "mật khẩu"} {
		if strings.Contains(dump, secret) {
			t.Errorf("the database holds %q in clear", secret)
		}
	}
}

// TestImportSystemsConflicts: each thing that cannot be is named by row and column, all of a file at once, and nothing is
// written.
func TestImportSystemsConflicts(t *testing.T) {
	t.Parallel()
	i := newImporter(t)
	i.takes("2 0 0 true", storage.SystemImportMode{}, systemRow(2, "A", "a", "H01"), systemRow(3, "gone", "g", "H09"))
	must(t, i.DisableSystem(t.Context(), "gone", "test", i.now))
	pushed := func(way routing.Way, webhook string) storage.SystemRow {
		r := systemRow(2, "N", "n", "H05")
		r.Way, r.Webhook = way, webhook
		return r
	}
	asPush := systemRow(2, "A", "a", "H01")
	asPush.Way, asPush.Webhook = routing.Push, "http://a"
	for name, c := range map[string]struct {
		want string
		rows []storage.SystemRow
	}{
		"id twice":          {"1 0 0 false 3:id:duplicate_id", []storage.SystemRow{systemRow(2, "N", "n", "H05"), systemRow(3, "N", "n", "H06")}},
		"code of another":   {"1 0 0 false 2:agencies:served", []storage.SystemRow{systemRow(2, "N", "n", "H01")}},
		"subtree of others": {"1 0 0 false 2:agencies:served", []storage.SystemRow{systemRow(2, "N", "n", "L.*")}},
		"of a disabled one": {"1 0 0 false 2:agencies:served", []storage.SystemRow{systemRow(2, "N", "n", "H09")}},
		"code in two rows":  {"2 0 0 false 3:agencies:served", []storage.SystemRow{systemRow(2, "N", "n", "H05"), systemRow(3, "M", "m", "H05")}},
		"of a row that stays": {"1 0 1 false 3:agencies:served",
			[]storage.SystemRow{systemRow(2, "A", "a", "H01"), systemRow(3, "N", "n", "H01")}},
		"disabled":             {"0 0 0 false 2:id:disabled", []storage.SystemRow{systemRow(2, "gone", "g", "H09")}},
		"another way":          {"0 0 0 false 2:way:other_way", []storage.SystemRow{asPush}},
		"push without webhook": {"0 0 0 false 2:webhook:webhook", []storage.SystemRow{pushed(routing.Push, "")}},
		"webhook without push": {"0 0 0 false 2:webhook:webhook", []storage.SystemRow{pushed("", "http://n")}},
		"two faults":           {"1 0 0 false 2:agencies:served 3:id:disabled", []storage.SystemRow{systemRow(2, "N", "n", "H01"), systemRow(3, "gone", "x", "H08")}},
	} {
		t.Log(name)
		i.takes(c.want, replaceSystems, c.rows...)
		i.takes(c.want, storage.SystemImportMode{Replace: true, DryRun: true}, c.rows...)
	}
	i.takes("1 0 0 true", storage.SystemImportMode{}, pushed(routing.Push, "http://n"))
	i.is("N", "N qlvb push new 0 [H05] n")
}

// TestImportSystemsAnotherKey: secrets that another key sealed are no reason to write over them.
func TestImportSystemsAnotherKey(t *testing.T) {
	t.Parallel()
	i := newImporter(t)
	_, err := i.ImportSystems(t.Context(), i.key, []storage.SystemRow{systemRow(2, "pull", "p", "L")}, replaceSystems, "test", i.now)
	if !errors.Is(err, storage.ErrSealed) {
		t.Errorf("%v", err)
	}
}

// TestImportSystemsBroken: a commit whose answer is lost is unavailable, whether it was stored or not; the same file again
// finds out.
func TestImportSystemsBroken(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			key, err := storage.OpenKeyFile(filepath.Join(t.TempDir(), "key"), true)
			must(t, err)
			rows := []storage.SystemRow{systemRow(2, "H29.12", vectorSecret, "H29.12"), systemRow(3, "H26", "s", "H26.*")}
			cut(wire, stored)
			got, err := node.ImportSystems(t.Context(), key, rows, storage.SystemImportMode{}, "test", a.now)
			if !errors.Is(err, storage.ErrUnavailable) || got.Applied {
				t.Errorf("%+v, %v", got, err)
			}
			wire.Mend()
			again := importer{a, key}
			if stored {
				again.takes("0 0 2 true", storage.SystemImportMode{}, rows...)
			} else {
				again.takes("2 0 0 true", storage.SystemImportMode{}, rows...)
			}
			storagetest.Check(t, a.Store)
		})
	}
}
