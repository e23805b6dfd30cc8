package policy

import "time"

// NextRaise is when the clock wakes Run for a raise; zero for never.
func (s *Service) NextRaise() time.Time { return s.nextRaise() }
