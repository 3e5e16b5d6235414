package main

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

// TestTrustCommands: anchors are installed by a fingerprint that fits, retired in a running server, and counted again;
// what that would change about the past is told, and rewritten only when asked to; lists are fetched from allowed hosts alone.
func TestTrustCommands(t *testing.T) {
	t.Parallel()
	state, address := stateDir(t), freeAddress(t)
	directory := filepath.Join(state, "agencies.csv")
	if err := os.WriteFile(directory, []byte(killDirectory), 0o600); err != nil {
		t.Fatal(err)
	}
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(state, "pki")
	if err := pki.Dir(folder); err != nil {
		t.Fatal(err)
	}
	node := serve(t, state, address)
	must(t, state, "agency", "import", directory)
	must(t, state, "system", "add", "--id", "H29.12", "--name", "Sở Y tế", "--kind", "qlvb", "--agency", "H29.12", "--secret", "s")
	must(t, state, "system", "add", "--id", "H26", "--name", "Hà Nội", "--kind", "lgsp", "--agency", "H26.*", "--secret", "s")

	root, print := filepath.Join(folder, "root.pem"), storage.Fingerprint(pki.Root.Certificate.Raw)
	wants(t, state, exitNo, "nothing is installed", "trust", "add", "--fingerprint", strings.Repeat("0", 64), root)
	if list := must(t, state, "trust", "list", "--json"); len(list["anchors"].([]any)) != 0 {
		t.Errorf("installed in spite of another fingerprint: %v", list)
	}
	wants(t, state, exitFlags, "from", "trust", "add", "--from", "hôm qua", root)
	wants(t, state, exitFlags, "before", "trust", "add", "--from", "2026-01-02", "--until", "2026-01-01", root)
	colons := strings.ToUpper(print[:2] + ":" + print[2:])
	must(t, state, "trust", "add", "--test", "--from", "2020-01-01", "--fingerprint", colons, root)
	must(t, state, "trust", "add", "--test", "--purpose", "intermediate", filepath.Join(folder, "issuing.pem"), filepath.Join(folder, "crl.pem"))
	wants(t, state, exitYes, "TEST, from 01/01/2020, added ", "trust", "list")
	first := must(t, state, "trust", "list", "--json")["anchors"].([]any)
	for _, one := range first {
		line := one.(map[string]any)
		if line["purpose"] == "signing" && (line["fingerprint"] != print || line["state"] != "in_force" || !strings.HasPrefix(line["from"].(string), "2020-01-01T00:00:00+07:00")) {
			t.Errorf("%v", line)
		}
	}

	client := toy.NewClient("http://"+address, "H29.12", "s")
	waitFor(t, "the systems to count", func() bool {
		plan, err := client.Plan(t.Context(), toy.PlanRequest{Sender: "H29.12", Recipients: []string{"H26"}})
		return err == nil && plan.OK
	})
	sent := sendOne(t, client, pki)
	wants(t, state, exitYes, "1 judged, 0", "reverify", "--since", "2020-01-01")
	must(t, state, "trust", "retire", strings.ToUpper(print))
	wants(t, state, exitNo, print, "trust", "retire", print)
	wants(t, state, exitYes, "retired", "trust", "list")
	wants(t, state, exitNo, sent.ID, "reverify", "--since", "2020-01-01", "--dry-run", "--json")
	wants(t, state, exitYes, "1 judged, 0 did not", "reverify", "--since", "2020-01-01", "--replay")
	wants(t, state, exitFlags, "excludes", "reverify", "--since", "2020-01-01", "--apply", "--replay")
	wants(t, state, exitYes, "1 judged, 1 rewritten", "reverify", "--since", "2020-01-01", "--apply")
	wants(t, state, exitYes, "0 judged", "reverify", "--since", "2020-01-01", "--after", sent.ID)
	wants(t, state, exitFlags, "exclude", "reverify", "--since", "2020-01-01", "--apply", "--dry-run")
	wants(t, state, exitFlags, "since", "reverify", "--since", "tháng trước")
	if verdict := verdictOf(t, client, sent.ID); verdict != "undetermined" {
		t.Errorf("without its anchor: %s", verdict)
	}
	must(t, state, "trust", "add", "--test", root)
	wants(t, state, exitYes, "1 judged", "reverify", "--since", "2020-01-01", "--apply") // unless the server's own job was faster
	if verdict := verdictOf(t, client, sent.ID); verdict != "valid" {
		t.Errorf("with its anchor again: %s", verdict)
	}
	checkFetching(t, state, pki)
	node.stop(t)
	checkState(t, state, true)
}

func verdictOf(t *testing.T, client *toy.Client, id string) string {
	t.Helper()
	answer, err := client.Dispatch(t.Context(), id, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Verdict
}

// checkFetching lets an intermediate name a CA's web server.
func checkFetching(t *testing.T, state string, pki *testpki.PKI) {
	t.Helper()
	var asked atomic.Int64
	list, err := pki.CRL(pki.Root, time.Now().Add(-time.Minute), time.Now().AddDate(0, 0, 7), nil)
	if err != nil {
		t.Fatal(err)
	}
	ca := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write(list)
	}))
	t.Cleanup(ca.Close)
	host := strings.TrimPrefix(ca.URL, "http://")
	sub, err := pki.IssueUnder(pki.Root, testpki.Request{Name: "CA thử", Edit: func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.CRLDistributionPoints = true, x509.KeyUsageCertSign, []string{"ldap://ca/x", ca.URL + "/root.crl"}
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(state, "sub.cer")
	if err := os.WriteFile(file, sub.Certificate.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, state, "trust", "add", "--test", "--purpose", "intermediate", "--yes", file)
	wants(t, state, exitYes, host, "trust", "fetch-plan")
	wants(t, state, exitYes, `"allowed":false`, "trust", "fetch-plan", "--json")
	wants(t, state, exitNothing, "no host is allowed", "trust", "fetch")
	wants(t, state, exitFlags, "not a host", "trust", "host", "add", ca.URL)
	must(t, state, "trust", "host", "add", host)
	wants(t, state, exitYes, host, "trust", "host", "list")
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times before anybody wanted it", n)
	}
	wants(t, state, exitYes, "1 installed", "trust", "fetch")
	wants(t, state, exitYes, "1 unchanged", "trust", "fetch")
	wants(t, state, exitYes, "fetched", "trust", "fetch-plan")
	ca.Close()
	wants(t, state, exitNo, `"failed":[{`, "trust", "fetch", "--json")
	must(t, state, "trust", "host", "remove", host)
	wants(t, state, exitNo, "not allowed", "trust", "host", "remove", host)
}
