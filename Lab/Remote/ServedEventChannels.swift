import XenCore
import XenEvtchn

extension EventChannelBackend {
    /// Does what the other end asks, except for waits.
    func perform(_ operation: PartyOperation, _ input: inout WireReader) throws -> [UInt8] {
        switch operation {
        case .bindUnbound: return wire(try bindUnbound(for: try input.next(DomainID.self)))
        case .bindInterdomain:
            let (port, domain) = try input.next(EventPort.self, DomainID.self)
            return wire(try bindInterdomain(to: port, of: domain))
        case .bindVirtualInterrupt:
            return wire(try bindVirtualInterrupt(try input.next(VirtualInterrupt.self)))
        case .unbind: try unbind(try input.next(EventPort.self))
        case .notify: try notify(try input.next(EventPort.self))
        case .mask: try mask(try input.next(EventPort.self))
        case .unmask: try unmask(try input.next(EventPort.self))
        case .rearm: try rearm(try input.next(EventPort.self))
        case .interrupt: interrupt()
        case .restrict: try restrict(to: try input.next(DomainID.self))
        case .epoch: return wire(epoch)
        case .staleEventCount: return wire(staleEventCount)
        default: throw WireError("\(operation) is no operation on event channels")
        }
        return []
    }
}
