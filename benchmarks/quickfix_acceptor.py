"""The peer: a FIX 4.4 acceptor on PyPI's quickfix (its C++ engine, this Python callback) that acknowledges every order.

Usage: python quickfix_acceptor.py PORT SESSIONS. Runs in an interpreter that has quickfix; prints PORT when it listens.
Memory store, no log, no data dictionary, TCP_NODELAY: its fastest ordinary settings.
"""

import sys
import tempfile
import time

import quickfix as fix  # type: ignore[import-not-found]

SETTINGS = """[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort={port}
SocketReuseAddress=Y
SocketNodelay=Y
BeginString=FIX.4.4
SenderCompID=VENUE
StartTime=00:00:00
EndTime=00:00:00
ResetOnLogon=Y
UseDataDictionary=N
CheckLatency=N
"""


class Acknowledge(fix.Application):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.orders = 0

    def onCreate(self, session_id: object) -> None: ...  # noqa: N802
    def onLogon(self, session_id: object) -> None: ...  # noqa: N802
    def onLogout(self, session_id: object) -> None: ...  # noqa: N802
    def toAdmin(self, message: object, session_id: object) -> None: ...  # noqa: N802
    def fromAdmin(self, message: object, session_id: object) -> None: ...  # noqa: N802
    def toApp(self, message: object, session_id: object) -> None: ...  # noqa: N802

    def fromApp(self, order: "fix.Message", session_id: "fix.SessionID") -> None:  # noqa: N802
        # By tag and text, its fastest way: with field objects (fix.ClOrdID()...) an order costs three times as much.
        self.orders += 1
        number = str(self.orders)
        report = fix.Message()
        report.getHeader().setField(35, "8")
        report.setField(37, number)  # OrderID
        report.setField(17, number)  # ExecID
        report.setField(150, "0")  # ExecType
        report.setField(39, "0")  # OrdStatus
        quantity = order.getField(38)
        for tag in (11, 1, 55, 54, 44, 40, 59, 60):
            report.setField(tag, order.getField(tag))
        report.setField(38, quantity)
        report.setField(151, quantity)  # LeavesQty
        report.setField(14, "0")  # CumQty
        report.setField(6, "0")  # AvgPx
        fix.Session.sendToTarget(report, session_id)


def main(port: int, sessions: int) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
        file.write(SETTINGS.format(port=port))
        file.writelines(f"[SESSION]\nTargetCompID=C{n:03d}\n" for n in range(sessions))
        file.flush()
        settings = fix.SessionSettings(file.name)
    application = Acknowledge()
    acceptor = fix.SocketAcceptor(application, fix.MemoryStoreFactory(), settings)
    acceptor.start()
    print(port, flush=True)
    while True:
        time.sleep(3600)


main(int(sys.argv[1]), int(sys.argv[2]))
