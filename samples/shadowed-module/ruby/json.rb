module Helper; end
