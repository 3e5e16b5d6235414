package server

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/truc-lienthong/truc/storage"
)

// Alarm is something about the trust store that a person must mend, before documents become undetermined by it.
type Alarm struct {
	Code    string    `json:"code"`    // expired, expiring, list_stale, fetch_failing, no_anchor
	Subject string    `json:"subject"` // of the certificate, issuer of the list, or the address
	At      time.Time `json:"at"`      // when it ends or ended; since when it fails
	Days    int       `json:"days"`    // to the end of a certificate: the threshold passed, 90, 30, 7 or 0
	VI      string    `json:"vi"`
	EN      string    `json:"en"`
}

// Urgent says that it is so far that documents suffer, or will within days.
func (a Alarm) Urgent() bool { return a.Code != "expiring" || a.Days <= 30 }

// expiryDays are the days before a certificate's end at which it is spoken of, ever more loudly.
var expiryDays = []int{7, 30, 90}

// failuresAlarm is how often in a row an address may fail: the first are the network's daily weather.
const failuresAlarm = 3

// Alarms looks the trust store over.
func Alarms(ctx context.Context, store *storage.Store, now time.Time) ([]Alarm, error) {
	list := []Alarm{}
	anchors, err := store.Anchors(ctx)
	if err != nil {
		return nil, err
	}
	signers := 0
	for _, a := range anchors {
		if !a.RetiredAt.IsZero() {
			continue
		}
		if a.Purpose == storage.ForSigning && a.InForce(now) {
			signers++
		}
		list = append(list, expiring(a.Certificate, now)...)
	}
	if signers == 0 {
		list = append(list, Alarm{Code: "no_anchor", At: now, VI: "Không có gốc tin cậy nào đang dùng: mọi chữ ký đều chưa xác định", EN: "No anchor is in force: every signature is undetermined"})
	}
	axis, err := store.AxisCertificate(ctx)
	if err != nil {
		return nil, err
	}
	if axis != nil {
		list = append(list, expiring(axis, now)...)
	}
	lists, err := store.Lists(ctx)
	if err != nil {
		return nil, err
	}
	list = append(list, stale(lists, now)...)
	sources, err := store.Sources(ctx)
	if err != nil {
		return nil, err
	}
	return append(list, fetchAlarms(sources)...), nil
}

func expiring(c *x509.Certificate, now time.Time) []Alarm {
	day := c.NotAfter.In(storage.Vietnam).Format("02/01/2006")
	if now.After(c.NotAfter) {
		return []Alarm{{Code: "expired", Subject: c.Subject.String(), At: c.NotAfter, VI: "Chứng thư số đã hết hạn ngày " + day, EN: "The certificate ended on " + day}}
	}
	for _, days := range expiryDays {
		if c.NotAfter.Sub(now) < time.Duration(days)*24*time.Hour {
			return []Alarm{{Code: "expiring", Subject: c.Subject.String(), At: c.NotAfter, Days: days,
				VI: "Chứng thư số sắp hết hạn, ngày " + day, EN: "The certificate ends on " + day}}
		}
	}
	return nil
}

// stale names each kind of list whose newest copy is out of date.
func stale(lists []storage.RevocationList, now time.Time) []Alarm {
	newest := map[string]storage.RevocationList{}
	for _, l := range lists {
		if l.Kind == storage.CRL && !l.ThisUpdate.Before(newest[l.Scope].ThisUpdate) {
			newest[l.Scope] = l
		}
	}
	var found []Alarm
	for _, scope := range sortedKeys(newest) {
		if l := newest[scope]; !l.NextUpdate.IsZero() && now.After(l.NextUpdate) {
			at := l.NextUpdate.In(storage.Vietnam).Format("15:04 02/01/2006")
			found = append(found, Alarm{Code: "list_stale", Subject: l.Issuer, At: l.NextUpdate,
				VI: "Danh sách thu hồi đã quá hạn từ " + at, EN: "The revocation list is out of date since " + at})
		}
	}
	return found
}

// fetchAlarms names the addresses of lists that have failed several times in a row.
func fetchAlarms(sources []storage.Source) []Alarm {
	var found []Alarm
	for _, x := range sources {
		if x.Failures >= failuresAlarm && x.Kind == storage.CRL {
			found = append(found, Alarm{Code: "fetch_failing", Subject: x.URL, At: x.TriedAt,
				VI: fmt.Sprintf("Không tải được danh sách thu hồi, %d lần liền: %s", x.Failures, x.Failure),
				EN: fmt.Sprintf("The revocation list cannot be fetched, %d times in a row: %s", x.Failures, x.Failure)})
		}
	}
	return found
}

// alarm writes what must be mended into the log, each hour.
func alarm(ctx context.Context, s *Server) error {
	list, err := Alarms(ctx, s.Store, s.Now())
	for _, a := range list {
		s.Log.Warn("trust store: "+a.EN, "code", a.Code, "subject", a.Subject)
	}
	return err
}

// trustHealth collects how the trust store stands.
type trustHealth struct{ *Server }

var (
	trustAlarms   = prometheus.NewDesc("truc_trust_alarms", "Things about the trust store that a person must mend, by kind.", []string{"code"}, nil)
	trustHopefuls = prometheus.NewDesc("truc_reverify_waiting", "Dispatches that are judged again when revocation data or anchors come.", nil, nil)
	alarmCodes    = []string{"expired", "expiring", "list_stale", "fetch_failing", "no_anchor"}
)

// Describe names the collector's metrics.
func (h trustHealth) Describe(out chan<- *prometheus.Desc) { out <- trustAlarms; out <- trustHopefuls }

// Collect reads them from the database, for at most five seconds.
func (h trustHealth) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := Alarms(ctx, h.Store, h.Now())
	if err != nil {
		out <- prometheus.NewInvalidMetric(trustAlarms, err)
		return
	}
	count := map[string]int{}
	for _, a := range list {
		count[a.Code]++
	}
	for _, code := range alarmCodes {
		out <- prometheus.MustNewConstMetric(trustAlarms, prometheus.GaugeValue, float64(count[code]), code)
	}
	waiting, err := h.Store.Hopefuls(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(trustHopefuls, err)
		return
	}
	out <- prometheus.MustNewConstMetric(trustHopefuls, prometheus.GaugeValue, float64(waiting))
}
