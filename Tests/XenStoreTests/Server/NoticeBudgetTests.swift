import Testing
import XenCore

@testable import XenStoreServer

@Suite struct NoticeBudgetTests {
    @Test func aPeriodHasAnEndAndSaysWhatWasLeftOut() {
        var budget = NoticeBudget()
        let guest = DomainID(3)
        let start = Deadline(sinceEpoch: .seconds(1000))
        for _ in 0..<NoticeBudget.limit { #expect(budget.admit(guest, at: start) == 0) }
        let late = start + (NoticeBudget.period - .nanoseconds(1))
        for _ in 0..<1000 { #expect(budget.admit(guest, at: late) == nil) }
        // Another's notices are its own.
        #expect(budget.admit(DomainID(4), at: late) == 0)
        let next = start + NoticeBudget.period
        #expect(budget.admit(guest, at: next) == 1000)
        for _ in 1..<NoticeBudget.limit { #expect(budget.admit(guest, at: next) == 0) }
        #expect(budget.admit(guest, at: next) == nil)
        #expect(budget.admit(guest, at: next + NoticeBudget.period) == 1)
        #expect(budget.admit(guest, at: next + NoticeBudget.period * 3) == 0)
    }
}
