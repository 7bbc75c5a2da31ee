"""Notices: written from what the registry's outbox holds, sent by mail and webhook, and shown as a calendar."""

from ontherun.notices.calendar_feed import calendar
from ontherun.notices.jobs import NoticeJobs, write_letter
from ontherun.notices.letters import Letter, Sender, as_html, as_text, letter, places
from ontherun.notices.mail import MailSender, MailSettings
from ontherun.notices.networks import LOOPBACK
from ontherun.notices.settings import NoticeSettings, NoticeSettingsError, notice_settings
from ontherun.notices.times import moment
from ontherun.notices.webhooks import secret_text

__all__ = [
    "NoticeJobs",
    "NoticeSettings",
    "NoticeSettingsError",
    "notice_settings",
    "LOOPBACK",
    "MailSettings",
    "MailSender",
    # what is said
    "Letter",
    "Sender",
    "letter",
    "write_letter",
    "places",
    "as_text",
    "as_html",
    "moment",
    "calendar",
    "secret_text",
]
