// Package demodata answers: with which agencies and documents does the demo play?
package demodata

import "github.com/truc-lienthong/truc/routing"

// Directory gives the demo's agencies, each parent before its children; the same at each call.
func Directory() []routing.Agency { panic("not built yet") }

// CSV gives Directory in the import form of `truc agency import`.
func CSV() []byte { panic("not built yet") }

// Subject is one realistic document for the demo to send.
type Subject struct {
	Type     string // name of the document type: "Công văn"
	TypeCode int    // 1..29 in the order of NĐ 30/2020 art. 7
	Notation string // pattern, {org} stands for the sender: "{org}-VP", "QĐ-{org}"
	Subject  string // trích yếu
	Urgency  routing.Urgency
}

// Subjects gives a couple of dozen documents such as agencies send every day.
func Subjects() []Subject { panic("not built yet") }
