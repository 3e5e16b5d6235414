package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// TestCommands walks through an installation as an operator would: directory, systems, trust, people, a document, its
// proof checked offline, the month's report, the doctor.
func TestCommands(t *testing.T) {
	t.Parallel()
	state, address := stateDir(t), freeAddress(t)
	directory := filepath.Join(state, "agencies.csv")
	if err := os.WriteFile(directory, []byte(killDirectory), 0o600); err != nil {
		t.Fatal(err)
	}
	node := serve(t, state, address)
	t.Logf("ready on an empty state folder in %d ms", node.ready.Milliseconds())

	if got := must(t, state, "agency", "import", directory, "--json"); got["added"] != 7.0 {
		t.Errorf("import: %v", got)
	}
	if got := must(t, state, "agency", "import", directory, "--json"); got["unchanged"] != 7.0 || got["added"] != 0.0 {
		t.Errorf("the same import again: %v", got)
	}
	wants(t, state, exitYes, "Sở Y tế", "agency", "show", "000.00.12.H29")
	wants(t, state, exitNo, "H29.13", "agency", "show", "H29.13")
	wants(t, state, exitYes, "Định Mỹ", "agency", "list", "dinh my")

	added := must(t, state, "system", "add", "--id", "H29.12", "--name", "Sở Y tế", "--kind", "qlvb", "--agency", "H29.12", "--json")
	secret, _ := added["secret"].(string)
	if len(secret) < 40 || added["way"] != "pull" {
		t.Errorf("system add: %v", added)
	}
	must(t, state, "system", "add", "--id", "H26", "--name", "Hà Nội", "--kind", "lgsp", "--agency", "H26.*", "--secret", "secret-pull")
	wants(t, state, exitNo, "exists", "system", "add", "--id", "H26", "--name", "Hà Nội", "--kind", "lgsp", "--agency", "G22")
	wants(t, state, exitNo, "exists", "system", "add", "--id", "other", "--name", "Hà Nội", "--kind", "lgsp", "--agency", "H26.*")
	wants(t, state, exitNo, "H99", "system", "add", "--id", "H99", "--name", "?", "--kind", "lgsp", "--agency", "H99")
	wants(t, state, exitFlags, "webhook", "system", "add", "--id", "G22", "--name", "?", "--kind", "lgsp", "--agency", "G22", "--way", "push")
	wants(t, state, exitFlags, "", "system", "add", "--no-such-flag")
	must(t, state, "system", "add", "--id", "vxp.saas.03", "--name", "SaaS", "--kind", "qlvb", "--agency", "H29", "--form", "old")
	wants(t, state, exitFlags, "form", "system", "add", "--id", "x", "--name", "x", "--kind", "qlvb", "--agency", "H29", "--form", "102")
	wants(t, state, exitYes, "H26.*", "system", "list")
	checkForms(t, state)

	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(state, "pki")
	if err := pki.Dir(folder); err != nil {
		t.Fatal(err)
	}
	wants(t, state, exitDependency, "no anchor", "doctor")
	must(t, state, "trust", "add", "--test", "--family", "công vụ", filepath.Join(folder, "root.pem"))
	must(t, state, "trust", "add", "--test", "--purpose", "intermediate", filepath.Join(folder, "issuing.pem"), filepath.Join(folder, "crl.pem"))
	wants(t, state, exitUnusable, "", "trust", "add", directory)
	wants(t, state, exitYes, "TEST Root CA", "trust", "list")
	wants(t, state, exitYes, "ok", "doctor")
	wants(t, state, exitYes, "password", "setup")
	wants(t, state, exitNo, "already", "setup")
	wants(t, state, exitYes, "totp", "user", "add", "--name", "vanthu", "--role", "clerk", "--agency", "H29.12")

	client := toy.NewClient("http://"+address, "H29.12", secret)
	waitFor(t, "the new systems to count in the running server", func() bool {
		plan, err := client.Plan(t.Context(), toy.PlanRequest{Sender: "H29.12", Recipients: []string{"H26"}})
		return err == nil && plan.OK
	})
	signed := sendOne(t, client, pki)
	proof := filepath.Join(state, "proof.p7m")
	file, err := os.Create(proof)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Proof(t.Context(), signed.ID, file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	anchor := filepath.Join(state, "axis.pem")
	must(t, state, "trust", "export-axis", "-o", anchor)
	got := must(t, "/nonexistent", "verify", "--anchor", anchor, "--json", proof) // no state folder, no database
	if got["verdict"] != "valid" {
		t.Errorf("proof: %v", got)
	}
	wants(t, "/nonexistent", exitUndetermined, "", "verify", "--anchor", filepath.Join(folder, "root.pem"), proof)
	wants(t, "/nonexistent", exitNothing, "", "verify", "--anchor", anchor, directory)
	checkReports(t, state)
	checkStrays(t, state, address)

	rotated := must(t, state, "system", "rotate", "H29.12", "--json", "--overlap", "1h")
	waitFor(t, "the new secret to count", func() bool {
		_, err := toy.NewClient("http://"+address, "H29.12", rotated["secret"].(string)).Plan(t.Context(), toy.PlanRequest{Recipients: []string{"H26"}})
		return err == nil
	})
	if _, err := client.Plan(t.Context(), toy.PlanRequest{Recipients: []string{"H26"}}); err != nil {
		t.Errorf("the old secret within its overlap: %v", err)
	}
	must(t, state, "system", "disable", "H29.12")
	waitFor(t, "the system to be shut out", func() bool {
		_, err := client.Plan(t.Context(), toy.PlanRequest{Recipients: []string{"H26"}})
		return err != nil
	})
	node.stop(t)
	again := serve(t, state, address)
	t.Logf("ready on a second start in %d ms", again.ready.Milliseconds())
	if !getOK("http://"+address+"/readyz") || !getOK("http://"+address+"/healthz") || !getOK("http://"+address+"/metrics") {
		t.Error("not ready")
	}
	again.stop(t)
	checkState(t, state, true)
}

// wants runs a command and looks for its exit code and a word in what it prints.
func wants(t *testing.T, state string, code int, word string, args ...string) {
	t.Helper()
	got, out, errs := truc(t, state, args...)
	if got != code || !strings.Contains(out+errs, word) {
		t.Errorf("truc %v: exit %d, want %d and %q:\n%s%s", args, got, code, word, out, errs)
	}
}

// waitFor polls what has no event to wait for: the effect of one process on another.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func sendOne(t *testing.T, client *toy.Client, pki *testpki.PKI) toy.Answer {
	t.Helper()
	document := killDocuments(t, pki)(1)
	document.Dispatch.Recipients = []string{"H26"}
	sub, err := toy.Compose(document.Dispatch, nil, document.Files...)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Submit(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// checkReports reads the month's exports back and compares them.
func checkReports(t *testing.T, state string) {
	t.Helper()
	month := time.Now().In(time.FixedZone("+07", 7*3600)).Format("2006-01")
	_, text, _ := truc(t, state, "report", "monthly", "--month", month)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 || strings.Join(rows[1], "|") != "H29.12|Sở Y tế Thành phố Hồ Chí Minh|1|0|1" {
		t.Errorf("monthly report: %v %v", rows, err)
	}
	if _, again, _ := truc(t, state, "report", "monthly", "--month", month, "--recount"); again != text {
		t.Errorf("recount differs:\n%s\n%s", text, again)
	}
	_, raw, _ := truc(t, state, "report", "monthly", "--month", month, "--format", "xlsx")
	book, err := excelize.OpenReader(bytes.NewReader([]byte(raw)))
	if err != nil {
		t.Fatal(err)
	}
	cells, err := book.GetRows("Tháng " + month)
	if err != nil || len(cells) != 4 || strings.Join(cells[3], "|") != "|Tổng cộng|1|0|1" {
		t.Errorf("workbook: %v %v", cells, err)
	}
	wants(t, state, exitFlags, "yyyy-mm", "report", "monthly", "--month", "11/2026")
}

// checkForms reads the form of code of each system back: the default, and what was given.
func checkForms(t *testing.T, state string) {
	t.Helper()
	list, _ := must(t, state, "system", "list", "--json")["systems"].([]any)
	got := map[any]any{}
	for _, one := range list {
		line, _ := one.(map[string]any)
		got[line["ID"]] = line["Form"]
	}
	if got["H26"] != "new" || got["vxp.saas.03"] != "old" {
		t.Errorf("forms: %v", got)
	}
}
