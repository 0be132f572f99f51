import XenCore
import XenEvtchn
import XenSystem

/// What a waiting thread sleeps on.
final class Doorbell: Sendable {
    let wakeup: Wakeup

    private init() throws(SystemFailure) { wakeup = try Wakeup() }

    /// The one that is kept here, made now if there is none yet.
    static func made(_ kept: inout Doorbell?) throws(EventChannelError) -> Doorbell {
        if let kept { return kept }
        do {
            let doorbell = try Doorbell()
            kept = doorbell
            return doorbell
        } catch {
            throw EventChannelError(
                .limitReached, errorNumber: error.errorNumber, "a doorbell: \(error.call)")
        }
    }
}
