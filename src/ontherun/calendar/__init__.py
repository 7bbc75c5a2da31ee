"""Treasury trading days, market closes and holidays, and the exchange's timetable of requests."""
