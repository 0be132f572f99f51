import RemoteParties
import XenEvtchn
import XenGrant
import XenMock

/// A mock process that maps a page until it is killed.
final class MockHolder: PageHolder {
    private let process: MockProcess

    init(_ page: PageToHold, _ process: MockProcess) throws {
        self.process = process
        let port = try process.events.bindInterdomain(to: page.port, of: page.page.domain)
        // Held until the process is killed.
        _ = try process.grants.map(
            [page.page], access: .readWrite,
            notification: UnmapNotification(clearByte: 0, notifyPort: port))
        try process.events.notify(port)
    }

    func end() { process.kill() }
}
