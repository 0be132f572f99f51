import XenStoreClient
import XenSystem

/// How the program ends, in the numbers of sysexits(3) where it has one.
enum ExitStatus: Int32 {
    case noSuchNode = 1
    case refused = 2
    case outcomeUnknown = 3
    /// `EX_USAGE`, which ArgumentParser uses, too.
    case usage = 64
    case badScript = 65
    case noScript = 66
    case unreachable = 69
    case cannotServe = 73
    case inputOutput = 74
    case tryAgain = 75
    case protocolViolation = 76
    case notPermitted = 77
}

/// Why a command ends without success.
struct ToolFailure: Error, Hashable {
    let status: ExitStatus
    /// What happened to what, and what to do; nil when the status says it all.
    let message: String?

    init(_ status: ExitStatus, _ message: String? = nil) {
        self.status = status
        self.message = message
    }

    /// Nil for what is ArgumentParser's to tell.
    init?(_ error: any Error) {
        switch error {
        case let failure as ToolFailure: self = failure
        case let error as StoreError: self.init(error)
        case let failure as SystemFailure: self.init(.inputOutput, "\(failure)")
        default: return nil
        }
    }

    init(_ error: StoreError) {
        self.init(
            ExitStatus(error), error.name.map { "\(error.message) (\($0))" } ?? error.message)
    }
}

extension ExitStatus {
    init(_ error: StoreError) {
        self =
            switch error.code {
            case .refused: ExitStatus(error.name)
            case .invalidPath, .tooLong: .usage
            case .protocolViolation: .protocolViolation
            case .unavailable, .disconnected: .unreachable
            case .outcomeUnknown: .outcomeUnknown
            default: .tryAgain
            }
    }

    private init(_ name: StoreErrorName?) {
        self =
            switch name {
            case .some(.noEntry): .noSuchNode
            case .some(.accessDenied), .some(.notPermitted), .some(.readOnly): .notPermitted
            case .some(.again), .some(.busy): .tryAgain
            default: .refused
            }
    }
}
