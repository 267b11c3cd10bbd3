module slipstream

go 1.19
