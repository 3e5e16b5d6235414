// Package demodata answers: with which agencies and documents does the demo play?
//
// The agencies are real, and so are the codes of level 1; the codes below are invented and marked so, because no public
// list of them exists (regulation.md, section 11). The names of the communes come from an MIT-licensed package: see NOTICE.
package demodata

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/routing"
)

// Where the codes come from, in Agency.CodeSource.
const (
	SourceLaw       = "QĐ 20/2020/QĐ-TTg" // level 1
	SourcePublished = "published"         // H01.151 and its five units
	Synthetic       = "synthetic"         // invented here
)

// Directory gives the demo's agencies in the order of codes within each part, each parent before its children: 34 live and
// 29 closed provinces (H), 27 live and 11 closed ministries (G), 15 departments of each live province, 3,321 communes, and
// the five units of H01.151. The same at each call; the slice is the caller's own.
func Directory() []routing.Agency { return slices.Clone(directory()) }

var directory = sync.OnceValue(func() []routing.Agency {
	out := ministries()
	names := readAddresses()
	for _, p := range provinces {
		out = append(out, p.agency(names))
		out = append(out, p.closedOnes()...)
		out = append(out, departments(p)...)
		out = append(out, communes(p, names)...)
	}
	return append(out, dinhMyUnits()...)
})

// CSV gives Directory in the import form of `truc agency import`.
func CSV() []byte {
	var b bytes.Buffer
	if err := routing.WriteCSV(&b, slices.Values(directory())); err != nil {
		panic(err) // a bytes.Buffer does not fail
	}
	return b.Bytes()
}

// The days on which the codes begin and end: QĐ 20/2020 came into force, and the reform of 2025.
var (
	since2020 = day(2020, 9, 15)
	reform    = day(2025, 7, 1)
)

func day(y int, m time.Month, d int) time.Time {
	return time.Date(y, m, d, 0, 0, 0, 0, time.FixedZone("+07", 7*60*60))
}

// oldForm gives the QCVN 102 form where there is one; two-digit numbers have it, H01.151 has not.
func oldForm(c routing.Code) routing.Code {
	old, _ := c.Equivalent()
	return old
}
