package main

import (
	"strings"

	"github.com/truc-lienthong/truc/cmd/truc/demodata"
	"github.com/truc-lienthong/truc/routing"
)

// The agencies that act in the demo. Below level 1 the codes are invented (demodata marks them so).
const (
	demoGovernment = "G22"     // Văn phòng Chính phủ: sends the công điện
	demoSender     = "H29.11"  // Sở Y tế TP. Hồ Chí Minh: sends most documents
	demoCautious   = "H26.11"  // Sở Y tế Hà Nội: sends over VXP; its policy is to hold what is broken
	demoMinistry   = "G18"     // Bộ Y tế: pushed
	demoHealth     = "H31.11"  // Sở Y tế Hưng Yên: pulled through its province's hub, over VXP; says each step up to done
	demoCommune    = "H01.151" // UBND xã Định Mỹ, the one commune whose code is published: a mailbox
	demoReturning  = "G17"     // Bộ Xây dựng: returns what is not its business (02)
	demoEnded      = "G38"     // Ủy ban sông Mê Công: its old system says 410 Gone
	demoDownPush   = "H56"     // Thanh Hóa: its hub is down, the axis tries again by the timetable
	demoDownPull   = "H41"     // Nghệ An: its hub is down and does not ask
	demoRecalled   = "H41.11"  // Sở Y tế Nghệ An: what it was sent is recalled before its hub comes back
	demoOldHub     = "H31"     // Hưng Yên: its hub speaks VXP, as do the systems of demoCautious and demoReturning
)

// demoReturnReason is what G17 answers with 02.
const demoReturnReason = "Nội dung không thuộc thẩm quyền của Bộ Xây dựng; đề nghị gửi Bộ Y tế"

// Provinces by way; all others pull. Mailboxes go to mountain provinces, and to An Giang.
var (
	demoPushed    = map[routing.Code]bool{"H13": true, "H17": true, "H21": true, "H24": true, "H26": true, "H29": true, "H48": true, demoDownPush: true}
	demoMailboxes = map[routing.Code]bool{"H01": true, "H14": true, "H18": true, "H35": true}
)

// demoSystem is one connected system of the demo.
type demoSystem struct {
	id      string
	name    string
	kind    string
	way     routing.Way
	vxp     bool   // speaks as VNPT's SDK does
	serves  string // "H29.*" or "H29.11"
	down    bool   // at the start
	gone    bool   // answers 410 to every push
	returns bool   // answers 02
	sends   bool
}

// demoSystems connects every live province by a hub for all that is under it, every live ministry, and the two health
// departments that send for themselves. So all 3,321 communes are served.
func demoSystems(agencies []routing.Agency) []demoSystem {
	var out []demoSystem
	for _, a := range agencies {
		switch {
		case a.Status != routing.Live:
		case a.Code == demoSender || a.Code == demoCautious:
			out = append(out, demoSystem{id: string(a.Code), name: "QLVB " + a.Name + " (mẫu)", kind: "qlvb", way: routing.Pull, serves: string(a.Code), sends: true,
				vxp: a.Code == demoCautious})
		case a.Parent != "":
		case strings.HasPrefix(string(a.Code), "H"):
			out = append(out, demoHub(a))
		case strings.HasPrefix(string(a.Code), "G"):
			out = append(out, demoMinistrySystem(a))
		}
	}
	return out
}

func demoHub(a routing.Agency) demoSystem {
	s := demoSystem{id: string(a.Code), name: "LGSP " + a.ShortName() + " (mẫu)", kind: "lgsp", way: routing.Pull, serves: string(a.Code) + ".*"}
	switch {
	case demoPushed[a.Code]:
		s.way = routing.Push
	case demoMailboxes[a.Code]:
		s.way, s.kind, s.name = routing.Mailbox, "other", "Hòm thư trên trục: "+a.ShortName()+" (mẫu)"
	}
	s.down, s.vxp = a.Code == demoDownPush || a.Code == demoDownPull, a.Code == demoOldHub
	return s
}

func demoMinistrySystem(a routing.Agency) demoSystem {
	s := demoSystem{id: string(a.Code), name: "QLVB " + a.Name + " (mẫu)", kind: "qlvb", way: routing.Pull, serves: string(a.Code)}
	switch a.Code {
	case demoMinistry:
		s.way = routing.Push
	case demoEnded:
		s.way, s.gone = routing.Push, true
	case demoReturning:
		s.returns, s.vxp = true, true
	case demoGovernment:
		s.sends = true
	}
	return s
}

// demoCommunes lists the codes of all communes.
func demoCommunes() []string {
	var codes []string
	for _, a := range demodata.Directory() {
		if a.Kind == "UBND cấp xã" {
			codes = append(codes, string(a.Code))
		}
	}
	return codes
}
