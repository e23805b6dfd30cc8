package quality

import "time"

// Rating is a colour.
type Rating string

// The ratings. Unknown is that of too small a sample.
const (
	Unknown Rating = "UNKNOWN"
	Green   Rating = "GREEN"
	Yellow  Rating = "YELLOW"
	Red     Rating = "RED"
)

// rank orders the ratings that mean something.
func (r Rating) rank() int {
	switch r {
	case Yellow:
		return 1
	case Red:
		return 2
	default:
		return 0
	}
}

// Worse reports whether r is a worse rating than o.
func (r Rating) Worse(o Rating) bool { return r.rank() > o.rank() }

// Span is how many daily buckets count; the youngest weighs seven times as much as the oldest.
const Span = 7

// The constants of the formula. Source: spec/quality.md section 7.2.
const (
	pseudo    = 350 // 50 pseudo users of weight 7: tiny samples are damped
	minSample = 50
	yellowAt  = 20
	redAt     = 60

	readSample = 200 // users of a marketing template before its read rate counts
	readYellow = 10  // per cent
	readRed    = 3
)

// Days are the inputs of a score: index 0 is today.
type Days struct {
	Users  [Span]int `json:"users"`  // distinct people with a delivered message that day
	Points [Span]int `json:"points"` // of feedback
}

// Score is a rating and how it came about.
type Score struct {
	Rating  Rating `json:"rating"`
	NF      int    `json:"nf"`     // points per 1,000 weighted users
	Points  int    `json:"points"` // weighted
	Weight  int    `json:"weight"` // weighted users, the pseudo users included
	Sample  int    `json:"sample"` // users without weights
	Because string `json:"because"`
}

// Rate computes the score of a number, or of a template without read rule.
func Rate(d Days) Score {
	s := Score{Weight: pseudo}
	for i := range Span {
		w := Span - i
		s.Points += w * d.Points[i]
		s.Weight += w * d.Users[i]
		s.Sample += d.Users[i]
	}
	s.NF = 1000 * s.Points / s.Weight
	switch {
	case s.Sample < minSample:
		s.Rating, s.Because = Unknown, "fewer than 50 users were reached in 7 days"
	case s.NF < yellowAt:
		s.Rating, s.Because = Green, "fewer than 20 points of feedback per 1,000 weighted users"
	case s.NF < redAt:
		s.Rating, s.Because = Yellow, "20 to 59 points of feedback per 1,000 weighted users"
	default:
		s.Rating, s.Because = Red, "60 or more points of feedback per 1,000 weighted users"
	}
	return s
}

// RateMarketing adds the read rule of marketing templates: of delivered users, how many read.
func RateMarketing(d Days, delivered, read int) Score {
	s := Rate(d)
	if s.Sample < readSample || delivered == 0 {
		return s
	}
	switch rate := 100 * read; {
	case rate < readRed*delivered:
		if Red.Worse(s.Rating) {
			s.Rating, s.Because = Red, "fewer than 3 % read it"
		}
	case rate < readYellow*delivered:
		if Yellow.Worse(s.Rating) {
			s.Rating, s.Because = Yellow, "fewer than 10 % read it"
		}
	}
	return s
}

// Held is a rating in force and when a better one was first seen.
type Held struct {
	Rating Rating
	Better int64 // Unix milliseconds of the first evaluation that was better; 0 when the last one was not
}

// Step is the rating in force after an evaluation at now. Worsening is immediate; improvement needs a second evaluation at
// least after calm. Source: spec/quality.md section 7.2, "hysteresis".
func (h Held) Step(seen Rating, now int64, calm time.Duration) Held {
	switch {
	case h.Rating == "" || h.Rating == Unknown || seen.Worse(h.Rating) || calm <= 0:
		return Held{Rating: seen}
	case !h.Rating.Worse(seen):
		return Held{Rating: h.Rating}
	case h.Better == 0:
		return Held{Rating: h.Rating, Better: now}
	case now-h.Better >= calm.Milliseconds():
		return Held{Rating: seen}
	}
	return h
}

// Calm is how long a better rating must hold. Source: spec/quality.md section 7.2.
const Calm = 6 * time.Hour
