package web

import (
	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// badge is a state as people see it: colour, word and icon, so that nobody depends on the colour alone.
type badge struct {
	Tone string // quiet, good, wait, warn, bad
	Icon string
	Word phrase
}

var stateBadges = map[storage.State]badge{
	storage.Pending:   {"wait", "clock", phrase{"Chưa gửi xong", "Not delivered yet"}},
	storage.Delivered: {"good", "check", phrase{"Đã giao", "Delivered"}},
	storage.Refused:   {"bad", "cross", phrase{"Hệ thống từ chối", "Refused by the system"}},
	storage.Expired:   {"bad", "cross", phrase{"Gửi không được", "Could not be delivered"}},
	storage.Held:      {"warn", "hand", phrase{"Đang giữ", "Held"}},
	storage.Recalled:  {"quiet", "back", phrase{"Đã lấy lại", "Recalled"}},
}

var statusEnglish = map[storage.Status]string{
	storage.Arrived: "Arrived", storage.Returned: "Returned", storage.Registered: "Registered", storage.Assigned: "Assigned",
	storage.InProcess: "In process", storage.Completed: "Completed", storage.RecallAsked: "Asked back",
	storage.RecallAgreed: "Recall or update agreed", storage.RecallDeclined: "Recall or update declined",
}

var statusTones = map[storage.Status][2]string{
	storage.Arrived: {"wait", "inbox"}, storage.Returned: {"bad", "back"}, storage.Registered: {"good", "check"}, storage.Assigned: {"good", "person"},
	storage.InProcess: {"good", "clock"}, storage.Completed: {"good", "check"}, storage.RecallAsked: {"warn", "back"},
	storage.RecallAgreed: {"quiet", "check"}, storage.RecallDeclined: {"warn", "cross"},
}

// nobodySaid stands where a recipient's person has said nothing yet.
var nobodySaid = badge{"quiet", "clock", phrase{"Chưa phản hồi", "No answer yet"}}

func stateBadge(s storage.State) badge {
	if b, ok := stateBadges[s]; ok {
		return b
	}
	return badge{"quiet", "clock", phrase{VI: string(s)}}
}

// statusBadge shows what the recipient's people said, with the code that systems use (R27).
func statusBadge(s storage.Status) badge {
	if s == "" {
		return nobodySaid
	}
	tone, ok := statusTones[s]
	if !ok {
		return badge{"quiet", "clock", phrase{VI: string(s)}}
	}
	return badge{tone[0], tone[1], phrase{server.StatusLabel(s), statusEnglish[s]}}
}

func urgencyBadge(u routing.Urgency) badge {
	word := phrase{u.LabelVI(), u.LabelEN()}
	switch u {
	case routing.Express:
		return badge{"bad", "bolt", word}
	case routing.VeryUrgent:
		return badge{"warn", "bolt", word}
	case routing.Urgent:
		return badge{"warn", "bolt", word}
	}
	return badge{"quiet", "", word}
}

func verdictBadge(v signing.Verdict) badge {
	switch v {
	case signing.Valid:
		return badge{"good", "seal", phrase{"Chữ ký số hợp lệ", "Signature valid"}}
	case signing.Invalid:
		return badge{"bad", "cross", phrase{"Chữ ký số không hợp lệ", "Signature not valid"}}
	case signing.Undetermined:
		return badge{"warn", "question", phrase{"Chữ ký số chưa xác định", "Signature undetermined"}}
	}
	return badge{"quiet", "question", phrase{"Không có chữ ký số – chỉ để biết, tham khảo", "No signature – for information only"}}
}

func kindLabel(k storage.Kind) phrase {
	switch k {
	case storage.Recall:
		return phrase{"Thu hồi", "Recall"}
	case storage.Update:
		return phrase{"Cập nhật", "Update"}
	case storage.Replace:
		return phrase{"Thay thế", "Replacement"}
	}
	return phrase{"Văn bản mới", "New document"}
}

// formLabel says in which form a dispatch came to the axis.
func formLabel(form string) phrase {
	switch form {
	case "edxml":
		return phrase{"Gói edXML qua VXP/API", "An edXML packet over VXP or the API"}
	case "native":
		return phrase{"Qua API của trục", "Over the axis's own API"}
	}
	return phrase{VI: form}
}

func wayLabel(w routing.Way) phrase {
	switch w {
	case routing.Pull:
		return phrase{"hệ thống nhận tự lấy", "fetched by the recipient's system"}
	case routing.Push:
		return phrase{"trục đẩy tới", "pushed by the axis"}
	case routing.Mailbox:
		return phrase{"hộp thư trên trục", "mailbox on the axis"}
	}
	return phrase{VI: string(w)}
}

func outcomeBadge(o storage.Outcome) badge {
	switch o {
	case storage.Done:
		return badge{"good", "check", phrase{"Đã xong", "Done"}}
	case storage.Later:
		return badge{"wait", "clock", phrase{"Sẽ thử lại", "Will be tried again"}}
	case storage.Never:
		return badge{"bad", "cross", phrase{"Không nhận", "Refused"}}
	}
	return badge{"quiet", "clock", phrase{"Chưa có kết quả", "No result yet"}}
}

// reasonLabel puts the words of the axis for why a delivery ended into sentences; what a system said stands as it is.
func reasonLabel(reason string) phrase {
	switch reason {
	case "recalled_unfetched":
		return phrase{"Bên gửi thu hồi khi nơi nhận chưa lấy về", "The sender took it back before it was fetched"}
	case "updated_unfetched":
		return phrase{"Bản cập nhật đã thay bản này khi nơi nhận chưa lấy về", "An updated version took its place before it was fetched"}
	}
	return phrase{VI: reason}
}

// whoLabel names who must act next.
func whoLabel(who, system string) phrase {
	switch who {
	case "axis":
		return phrase{"Trục liên thông", "The axis"}
	case "system":
		return phrase{"Hệ thống " + system, "System " + system}
	case "clerk":
		return phrase{"Văn thư đơn vị nhận", "The recipient's clerk"}
	case "sender":
		return phrase{"Đơn vị gửi", "The sender"}
	case "operator":
		return phrase{"Đơn vị vận hành trục", "The axis operator"}
	}
	return phrase{VI: who}
}

func roleLabel(r storage.Role) phrase {
	switch r {
	case storage.Operator:
		return phrase{"Vận hành trục", "Operator"}
	case storage.Authority:
		return phrase{"Quản lý mã định danh", "Code authority"}
	case storage.Administrator:
		return phrase{"Quản trị bộ, tỉnh", "Administrator"}
	case storage.Clerk:
		return phrase{"Văn thư", "Clerk"}
	case storage.Auditor:
		return phrase{"Kiểm tra, giám sát", "Auditor"}
	}
	return phrase{VI: string(r)}
}
