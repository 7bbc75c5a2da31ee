"""Notices on their way to people and programs: e-mail, webhooks, an iCalendar feed."""
