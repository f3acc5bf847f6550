// Rates measured by scratch.timing, from book/recorded/, newest first;
// those of "paper" are computed from a card's published figures.
// products: n and the seconds of [n, n] @ [n, n]; batches: how many batches
// of training a second, by the way of training. Written by a cell of Chapter 9.
globalThis.RATES = [{"torch":"2.15.0+cu132","date":"2026-11-25","batch":64,"names":{"cpu":"AMD EPYC, 1 of 2 cores","paper":"NVIDIA H100 SXM"},"devices":{"cpu":{"products":[[16,5.658e-06],[32,3.048e-06],[64,8.956e-06],[128,5.255e-05],[256,0.0003984],[512,0.003152],[1024,0.02758],[2048,0.2762]],"batches":{"eager":669.8,"no item":548.8,"torch.nn":451.6,"tape":453.6,"compile":810.4}},"paper":{"products":[[16,3.8e-06],[32,3.8e-06],[64,3.8e-06],[128,3.8e-06],[256,3.8e-06],[512,4.006e-06],[1024,3.205e-05],[2048,0.0002564],[4096,0.002051],[8192,0.01641]],"batches":{"eager":4120.0,"resident":4277.0,"no item":3418.0,"graph":24130.0}}}}];
