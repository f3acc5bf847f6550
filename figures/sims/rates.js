// Rates measured by scratch.timing, from book/recorded/, newest first.
// products: n and the seconds of [n, n] @ [n, n]; batches: how many batches
// of training a second, by the way of training. Written by a cell of Chapter 9.
globalThis.RATES = [{"torch":"2.15.0+cu132","date":"2026-11-25","batch":64,"names":{"cpu":"AMD EPYC, 1 of 2 cores"},"devices":{"cpu":{"products":[[16,3.884e-06],[32,6.658e-06],[64,8.316e-06],[128,4.937e-05],[256,0.0007598],[512,0.002908],[1024,0.03195],[2048,0.2997]],"batches":{"eager":386.1,"no item":352.4,"torch.nn":328.1,"tape":301.1,"compile":418.2}}}}];
