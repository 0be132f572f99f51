import Testing
import XenCore

/// The numbers that domains exchange, and how they are written in messages.
@Suite struct VocabularyTests {
    @Test func numbersSayWhatTheyAre() {
        #expect("\(DomainID(3))" == "domain 3")
        #expect("\(GrantReference(8))" == "grant reference 8")
        #expect("\(EventPort(.max))" == "port 4294967295")
        #expect("\(Epoch.none.next)" == "epoch 1")
    }

    @Test func epochsWrap() {
        #expect(Epoch(rawValue: .max).next == .none)
    }

    @Test(arguments: [
        (ErrorNumber.notPermitted, "EPERM"), (.noEntry, "ENOENT"), (.noSuchProcess, "ESRCH"),
        (.interrupted, "EINTR"), (.inputOutput, "EIO"), (.noDevice, "ENXIO"),
        (.badDescriptor, "EBADF"), (.again, "EAGAIN"), (.noMemory, "ENOMEM"),
        (.accessDenied, "EACCES"), (.badAddress, "EFAULT"), (.busy, "EBUSY"), (.exists, "EEXIST"),
        (.invalid, "EINVAL"),
        (.tooBig, "EFBIG"), (.noSpace, "ENOSPC"), (.notImplemented, "ENOSYS"),
        (.notConnected, "ENOTCONN"),
    ])
    func errorNumbersHaveTheirNames(number: ErrorNumber, name: String) {
        #expect("\(number)" == name)
    }

    @Test func unknownErrorNumberIsANumber() {
        #expect("\(ErrorNumber(rawValue: 12345))" == "errno 12345")
    }
}
