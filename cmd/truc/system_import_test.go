package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// TestSystemImport plays the eve of a cut-over on the binary: a file of systems is tried, applied, applied again, and
// changed; the running server knows the systems by the secrets that they have.
func TestSystemImport(t *testing.T) {
	t.Parallel()
	state, address := stateDir(t), freeAddress(t)
	n := serve(t, state, address)
	must(t, state, "agency", "import", importFile(t, killDirectory))
	// Unsorted columns, semicolons, BOM and CRLF, as Excel writes them; one secret that needs its quotes.
	file := importFile(t, "\ufeffName;id;AGENCIES;secret;form\r\n"+
		"Sở Y tế;H29.12;000.00.12.H29;s3cr3t;\r\n"+
		"Trục tỉnh;02.29.W00;\"H29.*;H29\";\"p;q\"\"r \";old\r\n"+
		";;;;\r\n"+
		";vxp.saas.03;h26;ệ;\r\n")
	secrets := []string{"s3cr3t", `p;q"r `}
	quiet := func(code int, want string, args ...string) map[string]any {
		t.Helper()
		got, out, errs := truc(t, state, append([]string{"system", "import", "--json"}, args...)...)
		var answer map[string]any
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			t.Fatalf("%v: %s%s", err, out, errs)
		}
		if said := fmt.Sprint(answer["added"], answer["changed"], answer["unchanged"], answer["applied"]); got != code || said != want {
			t.Errorf("%v: exit %d, %s; want %d, %s\n%s", args, got, said, code, want, errs)
		}
		for _, secret := range secrets {
			if strings.Contains(out+errs, secret) {
				t.Errorf("%v prints the secret %q", args, secret)
			}
		}
		return answer
	}
	quiet(exitYes, "3 0 0 false", file, "--dry-run")
	if got := quiet(exitYes, "3 0 0 true", file); fmt.Sprint(got["conflicts"]) != "[]" {
		t.Errorf("conflicts %v", got["conflicts"])
	}
	quiet(exitYes, "0 0 3 true", file)
	wants(t, state, exitYes, "delete it now", "system", "import", file)
	wants(t, state, exitYes, "0 added, 0 changed, 3 unchanged", "system", "import", file)

	_, list, _ := truc(t, state, "system", "list", "--json")
	for _, want := range []string{`"ID":"02.29.W00","Name":"Trục tỉnh","Kind":"lgsp"`, `"Agencies":["H29.12"]`, `"Agencies":["H29","H29.*"]`, `"Agencies":["H26"]`} {
		if !strings.Contains(list, want) {
			t.Errorf("no %s in %s", want, list)
		}
	}
	client := toy.NewClient("http://"+address, "02.29.W00", `p;q"r `)
	waitFor(t, "the imported system to count in the running server", func() bool {
		_, err := client.Plan(t.Context(), toy.PlanRequest{Sender: "H29", Recipients: []string{"H26"}})
		return err == nil
	})

	other := importFile(t, "id,secret,agencies\nH29.12,an0ther,H29.12\nG22,g,G22\n")
	secrets = append(secrets, "an0ther")
	got := quiet(exitNo, "1 0 0 false", other)
	if said := fmt.Sprint(got["conflicts"]); !strings.Contains(said, "row:2") || !strings.Contains(said, "column:secret") || !strings.Contains(said, "--replace") {
		t.Errorf("conflicts %s", said)
	}
	quiet(exitYes, "1 1 0 true", other, "--replace")
	for _, secret := range []string{"an0ther", "s3cr3t"} { // the old one for seven days
		client := toy.NewClient("http://"+address, "H29.12", secret)
		waitFor(t, secret+" to count", func() bool {
			_, err := client.Plan(t.Context(), toy.PlanRequest{Recipients: []string{"H26"}})
			return err == nil
		})
	}
	quiet(exitUnusable, "0 0 0 false", importFile(t, "H29.12,s3cr3t,H29.12\n"))
	wants(t, state, exitUnusable, "no such file", "system", "import", filepath.Join(state, "nowhere.csv"))
	wants(t, state, exitFlags, "letters", "system", "add", "--id", "Sở Y tế", "--name", "x", "--kind", "qlvb", "--agency", "H01")
	for _, secret := range secrets {
		if strings.Contains(n.log.String(), secret) {
			t.Errorf("the server's log holds %q", secret)
		}
	}
	n.stop(t)
	checkState(t, state, true)
}

func importFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// systemFile reads a text as truc system import does, against a small directory. What it finds is told as row:column:word.
func systemFile(t *testing.T, text string) (rows []storage.SystemRow, said string, unreadable bool) {
	t.Helper()
	agencies, faults, err := routing.ReadCSV(strings.NewReader(killDirectory))
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	clash := routing.Agency{Code: "H01.07", OldCode: "000.00.12.H29", Name: "Trùng", Status: routing.Live}
	table := systemTable{directory: routing.NewDirectory(1, append(agencies, clash), nil)}
	if err := table.read(routing.CSVRows(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, f := range table.faults {
		words = append(words, fmt.Sprintf("%d:%s:%s", f.Row, f.Column, f.Code))
		if f.VI == "" || f.EN == "" || strings.Contains(f.VI+f.EN+f.Value, "s3cr3t") {
			t.Errorf("%+v", f)
		}
	}
	return table.rows, strings.Join(words, " "), table.unreadable
}

// TestSystemFileFaults: each fault of a file is named by row and column, and no fault repeats a secret, wherever in the
// file the secret stands.
func TestSystemFileFaults(t *testing.T) {
	t.Parallel()
	const h = "id,secret,agencies,name,kind,way,form,rate,webhook\n"
	for name, c := range map[string]struct {
		text, want string
		unreadable bool
	}{
		"fine":                {h + "H29.12,s3cr3t,H29.12,,,,,,\n", "", false},
		"fine, all cells":     {h + "H29.12,s3cr3t,H29.12 H29.*,Sở,LGSP,push,old,50,https://x/y\n", "", false},
		"ids in use":          {h + "vxp.saas.03,s,H29,,,,,,\n02.29.W00,s,H29,,,,,,\n000.00.00.H29,s,H29,,,,,,\nA_b-9,s,H29,,,,,,\n", "", false},
		"long secret":         {h + "H29.12," + strings.Repeat("s", 1024) + ",H29.12,,,,,,\n", "", false},
		"short secret":        {h + "H29.12,s,H29.12,,,,,,\n", "", false},
		"empty file":          {"", "0::empty_file", true},
		"only BOM":            {"\ufeff", "0::empty_file", true},
		"xlsx":                {"PK\x03\x04s3cr3t", "0::not_csv", true},
		"utf-16":              {"\xff\xfei\x00d\x00", "0::not_csv", true},
		"no header":           {"H29.12,s3cr3t,H29.12\n", "1:column 1:unknown_column 1:column 2:unknown_column 1:column 3:unknown_column 1:id:missing_column 1:secret:missing_column 1:agencies:missing_column", true},
		"no secret column":    {"id,agencies\nH29.12,H29.12\n", "1:secret:missing_column", true},
		"misspelt column":     {"id,secret,agencies,webhok\nH29.12,s3cr3t,H29.12,\n", "1:column 4:unknown_column", true},
		"column twice":        {"id,secret,agencies,ID\n", "1:id:double_column", true},
		"broken header":       {"id,\"secret\"x,agencies\n", "1::quote", true},
		"few cells":           {h + "H29.12,s3cr3t,H29.12\n", "2::cells", false},
		"comma in a secret":   {"id,secret,agencies\nH29.12,s3c,r3t,H29.12\n", "2::cells", false},
		"quote in a secret":   {"id,secret,agencies\nH29.12,s3\"cr3t,H29.12\nH26,,H26\n", "2::quote 3:secret:missing", false},
		"empty cells":         {h + ",,,,,,,,\n ,, ,x,,,,,\n", "3:id:missing 3:secret:missing 3:agencies:missing", false},
		"blank secret":        {h + "H29.12,\"  \",H29.12,,,,,,\n", "2:secret:missing", false},
		"too long secret":     {h + "H29.12," + strings.Repeat("s", 1025) + ",H29.12,,,,,,\n", "2:secret:too_long", false},
		"secret on two lines": {h + "H29.12,\"s3cr3t\nx\",H29.12,,,,,,\n", "2:secret:line_break", false},
		"not UTF-8":           {h + "H29.12,s3cr3t\xf4,H29.12,S\xf4,,,,,\n", "2:secret:encoding 2:name:encoding", false},
		"bad ids":             {h + "s3cr3t ở đây,s,H29,,,,,,\n" + strings.Repeat("a", 65) + ",s,H29,,,,,,\na/b,s,H29,,,,,,\n", "2:id:bad_id 3:id:bad_id 4:id:bad_id", false},
		"control":             {h + "\"H29\n12\",s,H29,,,,,,\n", "2:id:control", false},
		"unknown codes":       {h + "H29.12,s3cr3t,H29.13;H99.*,,,,,,\n", "2:agencies:unknown_agency 2:agencies:unknown_agency", false},
		"bad code":            {h + "H29.12,s3cr3t,\"H29.12,s3cr3t-s3cr3t\",,,,,,\n", "2:agencies:malformed_code", false},
		"code of several":     {h + "H29.12,s3cr3t,000.00.12.H29,,,,,,\n", "2:agencies:ambiguous_agency", false},
		"long name":           {h + "H29.12,s3cr3t,H29.12," + strings.Repeat("ệ", 201) + ",,,,,\n", "2:name:too_long", false},
		"bad words":           {h + "H29.12,s3cr3t,H29.12,,s3cr3t,pulled,102,-1,ftp://x\n", "2:kind:not_one_of 2:way:not_one_of 2:form:not_one_of 2:rate:bad_rate 2:webhook:webhook", false},
		"too large a rate":    {h + "H29.12,s3cr3t,H29.12,,,,,3000000000,\n", "2:rate:bad_rate", false},
		"webhook's password":  {h + "H29.12,s3cr3t,H29.12,,,push,,,https://a:s3cr3t@x\n", "2:webhook:webhook", false},
	} {
		rows, said, unreadable := systemFile(t, c.text)
		if said != c.want || unreadable != c.unreadable || strings.HasPrefix(c.want, "2:") && len(rows) > 0 {
			t.Errorf("%s: %q, unreadable %t, %d rows; want %q, %t", name, said, unreadable, len(rows), c.want, c.unreadable)
		}
	}
}

// TestSystemFileRows: what is read of the cells, in either separator, with and without BOM.
func TestSystemFileRows(t *testing.T) {
	t.Parallel()
	const text = "agencies;secret;ID;rate\r\nH29 h29.12;\" s;x\"\"y \";vxp.saas.03;0\r\n"
	for _, file := range []string{text, "\ufeff" + text, strings.ReplaceAll(text, "\r", ""),
		"agencies,secret,ID,rate\nH29;h29.12,\" s;x\"\"y \",vxp.saas.03,0\n"} {
		rows, said, _ := systemFile(t, file)
		if said != "" || len(rows) != 1 {
			t.Fatalf("%q: %s", file, said)
		}
		r := rows[0]
		if r.ID != "vxp.saas.03" || !bytes.Equal(r.Secret, []byte(` s;x"y `)) || len(r.Serves) != 2 || r.Serves[0].Code != "H29" || r.Serves[1].Code != "H29.12" ||
			r.Rate == nil || *r.Rate != 0 || r.Row != 2 || r.Name != "" {
			t.Errorf("%q: %+v", file, r)
		}
	}
}
